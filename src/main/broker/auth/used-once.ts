import { systemClock, type Clock } from '../../../shared/common/index.js';

/** Remembers ids until they could not be used any more. Memory is bounded by what is issued meanwhile. */
export class UsedOnce {
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #used = new Map<string, number>();

  constructor(keepMs: number, clock: Clock = systemClock) {
    this.#keepMs = keepMs;
    this.#clock = clock;
  }

  /** True the first time, false ever after. */
  use(id: string): boolean {
    const now = this.#clock.now();
    for (const [old, at] of this.#used) {
      if (now - at < this.#keepMs) break;
      this.#used.delete(old);
    }
    if (this.#used.has(id)) return false;
    this.#used.set(id, now);
    return true;
  }
}
