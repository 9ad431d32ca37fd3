import type { Progress } from './progress.js';

/** One figure of a row: the same quantity, measured once per run. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** One value per run, in the order of the runs. */
  readonly samples: readonly number[];
}

/** What one subject showed under the conditions of `group`. */
export interface Row {
  readonly group: string;
  readonly subject: string;
  readonly figures: readonly Figure[];
  /** Why there are no figures. Absent: there are. */
  readonly skipped?: string;
}

/** A comparison of two figures of one group, run by run. */
export interface Ratio {
  readonly group: string;
  readonly name: string;
  /** One value per run. */
  readonly samples: readonly number[];
  /** What we want it to be, for people. Absent: it is only told. */
  readonly goal?: string;
}

export interface CaseResult {
  /** What was run: sizes and counts that a reader needs to judge the figures. */
  readonly settings: Readonly<Record<string, string | number>>;
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
  readonly notes: readonly string[];
}

export interface CaseContext {
  /** Tiny sizes, to see that everything works; the figures mean nothing. */
  readonly quick: boolean;
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

export interface BenchCase {
  readonly name: string;
  readonly summary: string;
  run(context: CaseContext): Promise<CaseResult>;
}
