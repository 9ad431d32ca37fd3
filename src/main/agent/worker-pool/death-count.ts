import type { Clock } from '../../../shared/common/index.js';

/** Counts deaths in a sliding window, in the manner of a restart intensity. */
export class DeathCount {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #windowMs: number;
  #times: number[] = [];

  /** More than `limit` deaths within `windowMs` are too many. */
  constructor(clock: Clock, limit: number, windowMs: number) {
    this.#clock = clock;
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  add(): void {
    this.#times = [...this.#times.slice(-this.#limit), this.#clock.now()];
  }

  /** Deaths within the window; not counted beyond the first that is too many. */
  get recent(): number {
    const since = this.#clock.now() - this.#windowMs;
    return this.#times.filter((time) => time > since).length;
  }

  get tooMany(): boolean {
    return this.recent > this.#limit;
  }
}
