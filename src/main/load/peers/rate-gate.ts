import { sleep } from '../../../shared/common/index.js';

/** Lets so many through in a second, and as many at once; the others wait for their turn, in order. */
export class RateGate {
  readonly #perSecond: number;
  /** When the bucket would be empty: each one through moves it on. */
  #emptyAt = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** @throws {HoldfastError} ERR_CLOSED on abort. */
  async pass(signal: AbortSignal): Promise<void> {
    const now = performance.now();
    const spacing = 1_000 / this.#perSecond;
    this.#emptyAt = Math.max(this.#emptyAt, now - 1_000) + spacing;
    const wait = this.#emptyAt - now;
    if (wait > 0) await sleep(wait, signal);
  }
}
