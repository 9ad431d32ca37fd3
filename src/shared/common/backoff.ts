/** Limits of a retry schedule, in milliseconds. */
export interface BackoffOptions {
  readonly minMs: number;
  readonly maxMs: number;
  /** Uniform in [0, 1); injected so that a schedule can be tested. */
  readonly random?: () => number;
}

/**
 * Exponential back-off with half jitter: attempt n waits between half and all of `min * 2^n`, capped.
 * Half rather than full jitter keeps the original's floor of 50 ms, yet a thousand agents that lost
 * the same broker still spread out.
 */
export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = { random: Math.random, ...options };
  }

  /** The next delay in milliseconds; each call counts as one more failed attempt. */
  next(): number {
    const { minMs, maxMs, random } = this.#options;
    const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return Math.max(minMs, ceiling / 2 + random() * (ceiling / 2));
  }

  /** Starts over; called once a connection has proved stable. */
  reset(): void {
    this.#attempt = 0;
  }
}
