import type { Clock, Timer } from '../../../shared/common/index.js';

interface Thread {
  readonly threadId: number;
}

export interface StallWatchOptions<T extends Thread> {
  readonly clock: Clock;
  readonly beatMs: number;
  /** Counters that the threads move, by thread id. */
  readonly beats: Int32Array;
  threads(): readonly T[];
  onStall(thread: T): void;
}

/** Beats a thread may miss; the second one exists to survive a laptop's sleep. */
const MISSES = 2;
/** Beats that a thread may take to load its code before the first one. */
const STARTUP_MISSES = 20;

/**
 * Finds threads whose loop does not turn. Only looks when main itself was on time: after a suspend, or
 * while main was busy, everybody seems late.
 */
export class StallWatch<T extends Thread> {
  readonly #options: StallWatchOptions<T>;
  readonly #seen = new Map<number, { beat: number; misses: number }>();
  #timer: Timer | undefined;
  #dueAt = 0;

  constructor(options: StallWatchOptions<T>) {
    this.#options = options;
  }

  start(): void {
    if (this.#timer === undefined) this.#schedule();
  }

  close(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    const { clock, beatMs } = this.#options;
    this.#dueAt = clock.now() + beatMs;
    this.#timer = clock.after(beatMs, () => {
      this.#look(clock.now() - this.#dueAt > beatMs / 2);
      this.#schedule();
    });
  }

  #look(late: boolean): void {
    const { beats, threads, onStall } = this.#options;
    const live = threads();
    const ids = new Set(live.map(({ threadId }) => threadId));
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
    for (const thread of live) {
      const beat = Atomics.load(beats, thread.threadId % beats.length);
      const before = this.#seen.get(thread.threadId);
      const stuck = before?.beat === beat && !late;
      const misses = stuck ? before.misses + 1 : 0;
      this.#seen.set(thread.threadId, { beat, misses });
      if (misses >= (beat === 0 ? STARTUP_MISSES : MISSES)) onStall(thread);
    }
  }
}
