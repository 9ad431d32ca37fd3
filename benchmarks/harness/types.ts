import type { Goal } from './goals.js';
import type { Progress } from './progress.js';

/** One figure of a row: the same quantity, measured once per run. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** One value per run, in the order of the runs. */
  readonly samples: readonly number[];
  /** What we want its median to be. Absent: it is only told. */
  readonly goal?: Goal | undefined;
}

/** What one subject showed under the conditions of `group`. */
export interface Row {
  readonly group: string;
  readonly subject: string;
  readonly figures: readonly Figure[];
  /** Why there are no figures. Absent: there are. */
  readonly skipped?: string | undefined;
}

/** A comparison of two figures of one group, run by run; ours is above the line. */
export interface Ratio {
  readonly group: string;
  readonly name: string;
  /** One value per run. */
  readonly samples: readonly number[];
  /** On which side of 1 it is good for Holdfast. */
  readonly better: 'higher' | 'lower';
  /** Below the line is somebody else's program, or a bare loop, or only another form of ours. */
  readonly against: 'others' | 'ours';
  /** What we want its median to be. Absent: it is only told. */
  readonly goal?: Goal | undefined;
}

export interface CaseResult {
  /** What was run: sizes and counts that a reader needs to judge the figures. */
  readonly settings: Readonly<Record<string, string | number>>;
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
  readonly notes: readonly string[];
  /** Figures to plot, by their titles as of `figureTitle`. Absent: the first of the first row. */
  readonly plots?: readonly string[] | undefined;
}

/**
 * How much is run. `tiny`: to see that everything works, the figures mean nothing. `small`: for ratios with wide
 * tolerances in CI. `normal`: some minutes. `full`: as long as it takes.
 */
export type Scale = 'tiny' | 'small' | 'normal' | 'full';

export interface CaseContext {
  readonly scale: Scale;
  /** Measured runs of each subject, after the warm-up. */
  readonly runs: number;
  /** Of this case alone, so that the choice of cases does not change what one of them does. */
  readonly random: () => number;
  readonly progress: Progress;
  /** A folder of this case, removed afterwards; short enough for unix sockets in it. */
  readonly scratch: string;
  /** Node options for the agent under test, such as `--cpu-prof`. */
  readonly agentNodeOptions: readonly string[];
  /** Undone after the case, in reverse order, also when it fails: stops programs. */
  defer(undo: () => Promise<void> | void): void;
}

/** The value for this scale; `small` is `tiny` and `full` is `normal` where nothing else is said. */
export function atScale<T>(
  { scale }: Pick<CaseContext, 'scale'>,
  values: { readonly tiny: T; readonly small?: T; readonly normal: T; readonly full?: T },
): T {
  switch (scale) {
    case 'tiny':
      return values.tiny;
    case 'small':
      return values.small ?? values.tiny;
    case 'normal':
      return values.normal;
    case 'full':
      return values.full ?? values.normal;
  }
}

export interface BenchCase {
  readonly name: string;
  /** One line for the list. Workloads are named by their ids, as in `W4`. */
  readonly summary: string;
  /** How long it takes on two cores at its normal size with five runs, about. */
  readonly minutes: number;
  run(context: CaseContext): Promise<CaseResult>;
}
