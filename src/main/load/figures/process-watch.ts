import { readProcess, type ProcessFacts } from './process-facts.js';
import { trendOf, type Point, type Trend } from './trend.js';

/** What one process took during a load. */
export interface ProcessSummary {
  readonly pid: number;
  /** Before the load, at its end, and after all of it was taken back. Absent: it had ended by then. */
  readonly before: ProcessFacts;
  readonly loaded: ProcessFacts | undefined;
  readonly after: ProcessFacts | undefined;
  readonly maxPssBytes: number;
  /** Share of one core while the load stood. */
  readonly cpu: number | undefined;
  /** Of the memory in bytes, while the load stood, without its first fifth. Absent: too short. */
  readonly trend: Trend | undefined;
  /** Memory over time, at most 720 samples; times since the load stood. */
  readonly samples: readonly Point[];
}

/** More than a plot shows. At this many every other one goes, and the next come half as often. */
const MAX_SAMPLES = 720;
const MIN_INTERVAL_MS = 1_000;
/** What a heap does first is to grow to its size; in less than this it does nothing else. */
const WARM_UP_SHARE = 0.2;
const MIN_TREND_MS = 60_000;

/** Watches the memory and CPU of one process; bounded, however long. */
export class ProcessWatch {
  readonly pid: number;
  readonly #before: ProcessFacts;
  #latest: ProcessFacts;
  #started: { readonly at: number; readonly cpuSeconds: number } | undefined;
  #loaded: { readonly facts: ProcessFacts; readonly cpu: number } | undefined;
  #after: ProcessFacts | undefined;
  #samples: Point[] = [];
  #maxPssBytes: number;
  #intervalMs = MIN_INTERVAL_MS;
  #timer: NodeJS.Timeout | undefined;

  private constructor(pid: number, before: ProcessFacts) {
    this.pid = pid;
    this.#before = before;
    this.#latest = before;
    this.#maxPssBytes = before.pssBytes;
  }

  /** Looks for the first time. Absent: there is no such process, or it cannot be looked at. */
  static open(pid: number): ProcessWatch | undefined {
    const before = readProcess(pid);
    return before === undefined ? undefined : new ProcessWatch(pid, before);
  }

  get latest(): ProcessFacts {
    return this.#latest;
  }

  /** Share of one core since {@link start}, until {@link stop}. */
  get cpu(): number | undefined {
    return this.#loaded?.cpu ?? this.#cpuAt(this.#latest);
  }

  /** The load stands: from now on it samples. */
  start(): void {
    const facts = readProcess(this.pid);
    if (facts === undefined) return;
    this.#started = { at: performance.now(), cpuSeconds: facts.cpuSeconds };
    this.#sample();
  }

  /** The load is about to be taken back. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const facts = readProcess(this.pid);
    if (facts !== undefined) this.#loaded = { facts, cpu: this.#cpuAt(facts) ?? 0 };
  }

  /** All of the load has been taken back. */
  finish(): void {
    this.#after = readProcess(this.pid);
  }

  summary(): ProcessSummary {
    const lastAt = this.#samples.at(-1)?.atMs ?? 0;
    const settled = this.#samples.filter(({ atMs }) => atMs >= lastAt * WARM_UP_SHARE);
    return {
      pid: this.pid,
      before: this.#before,
      loaded: this.#loaded?.facts,
      after: this.#after,
      maxPssBytes: this.#maxPssBytes,
      cpu: this.#loaded?.cpu,
      trend: lastAt < MIN_TREND_MS ? undefined : trendOf(settled),
      samples: this.#samples,
    };
  }

  #sample(): void {
    const facts = readProcess(this.pid);
    const started = this.#started;
    if (facts !== undefined && started !== undefined) {
      this.#latest = facts;
      this.#maxPssBytes = Math.max(this.#maxPssBytes, facts.pssBytes);
      this.#samples.push({ atMs: performance.now() - started.at, value: facts.pssBytes });
      if (this.#samples.length >= MAX_SAMPLES) {
        this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
        this.#intervalMs *= 2;
      }
    }
    this.#timer = setTimeout(() => {
      this.#sample();
    }, this.#intervalMs);
  }

  #cpuAt(facts: ProcessFacts): number | undefined {
    const started = this.#started;
    if (started === undefined) return undefined;
    const seconds = (performance.now() - started.at) / 1_000;
    return seconds <= 0 ? 0 : (facts.cpuSeconds - started.cpuSeconds) / seconds;
  }
}
