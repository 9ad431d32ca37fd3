import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Times in milliseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
}

/** Longest time that is told apart, in microseconds: ten minutes. */
const HIGHEST_US = 600_000_000;
/** Three digits: a value is off by at most a thousandth. */
const FIGURES = 3;

/** How long something took, many times: memory does not grow with their number. */
export class Latencies {
  #histogram: RecordableHistogram | undefined;

  record(ms: number): void {
    this.#histogram ??= createHistogram({ lowest: 1, highest: HIGHEST_US, figures: FIGURES });
    this.#histogram.record(Math.min(HIGHEST_US, Math.max(1, Math.round(ms * 1_000))));
  }

  /** Absent: it never happened. */
  summary(): LatencySummary | undefined {
    const histogram = this.#histogram;
    if (histogram === undefined) return undefined;
    const at = (percent: number): number => histogram.percentile(percent) / 1_000;
    return {
      count: histogram.count,
      p50: at(50),
      p90: at(90),
      p99: at(99),
      max: histogram.max / 1_000,
      mean: histogram.mean / 1_000,
    };
  }
}
