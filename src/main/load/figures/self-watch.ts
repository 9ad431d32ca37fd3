import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

/** What this program itself took: a load that is late by itself measures itself. */
export interface SelfSummary {
  /** Share of one core. */
  readonly cpu: number;
  readonly rssBytes: number;
  /** How late its timers fired, in ms. */
  readonly lateMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

const RESOLUTION_MS = 10;

/** Watches this process while the load stands. */
export class SelfWatch {
  /** Absent: not started; one that is made and never started would count as something that is left open. */
  #delays: IntervalHistogram | undefined;
  #startedAt = 0;
  #cpuAtStart = process.cpuUsage();

  start(): void {
    this.#startedAt = performance.now();
    this.#cpuAtStart = process.cpuUsage();
    this.#delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delays.enable();
  }

  stop(): void {
    this.#delays?.disable();
  }

  summary(): SelfSummary {
    const { user, system } = process.cpuUsage(this.#cpuAtStart);
    const us = Math.max(1, (performance.now() - this.#startedAt) * 1_000);
    // The histogram has the time between two timers, which is their interval and the delay.
    const late = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    return {
      cpu: (user + system) / us,
      rssBytes: process.memoryUsage.rss(),
      lateMs: {
        p50: late(this.#delays?.percentile(50) ?? 0),
        p99: late(this.#delays?.percentile(99) ?? 0),
        max: late(this.#delays?.max ?? 0),
      },
    };
  }
}
