import { PACKAGE_VERSION } from '../../../shared/node/package-info/index.js';
import {
  TIMED,
  type Event,
  type Fault,
  type LatencySummary,
  type ProcessSummary,
  type SelfSummary,
  type Timed,
} from '../figures/index.js';
import type { Load } from '../load.js';
import type { LoadPlan } from '../options/index.js';

/** How a load went, in one word. */
export type Verdict =
  /** Nothing was lost, doubled or changed. */
  | 'ok'
  /** Something was. */
  | 'faulty'
  /** It could not be put on, or not go on. */
  | 'failed'
  /** It was ended before it stood. */
  | 'interrupted';

/** What `--json` prints. Sizes in bytes, times in milliseconds unless the name says otherwise. */
export interface LoadResult {
  readonly format: 1;
  readonly version: string;
  readonly startedAt: string;
  readonly target: string;
  readonly engine: string | null;
  readonly plan: LoadPlan;
  readonly verdict: Verdict;
  /** For how long it stood. */
  readonly seconds: number;
  /** What all viewers got together while it stood. */
  readonly bytesPerSecond: number;
  readonly latenciesMs: Partial<Readonly<Record<Timed, LatencySummary>>>;
  readonly counts: Readonly<Record<Event, number>>;
  readonly faults: Readonly<Record<Fault, number>>;
  /** Particulars of the first faults, for people. */
  readonly samples: readonly string[];
  /** What was refused or went wrong and is no fault, by code. */
  readonly errors: Readonly<Record<string, { readonly count: number; readonly example: string }>>;
  /** The agent's process. Absent: it is not on this machine, or nobody knows which it is. */
  readonly agent?: ProcessSummary;
  /** This program. Absent: the load never stood. */
  readonly self?: SelfSummary;
}

/** What became of `load`. */
export function resultOf(
  load: Load,
  about: {
    readonly startedAt: Date;
    readonly target: string;
    readonly verdict: Exclude<Verdict, 'faulty'>;
  },
): LoadResult {
  const { figures, standing, plan } = load;
  const isFaulty = figures.isFaulty || (plan.strict && figures.counts.statedGaps > 0);
  const seconds = standing?.seconds ?? 0;
  return {
    format: 1,
    version: PACKAGE_VERSION,
    startedAt: about.startedAt.toISOString(),
    target: about.target,
    engine: load.engine ?? null,
    plan,
    verdict: about.verdict === 'ok' && isFaulty ? 'faulty' : about.verdict,
    seconds,
    bytesPerSecond: seconds === 0 ? 0 : (standing?.receivedBytes ?? 0) / seconds,
    latenciesMs: Object.fromEntries(
      TIMED.flatMap((name) => {
        const summary = figures.latencies[name].summary();
        return summary === undefined ? [] : [[name, summary]];
      }),
    ),
    counts: { ...figures.counts },
    faults: { ...figures.faults },
    samples: [...figures.samples],
    errors: Object.fromEntries(figures.errors),
    ...(load.agent === undefined ? {} : { agent: load.agent.summary() }),
    ...(standing === undefined ? {} : { self: standing.self }),
  };
}
