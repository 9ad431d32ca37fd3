import { limits } from '../../../shared/common/index.js';

/** Decides on a request, at once or later. Never rejects. */
export type Decide = () => boolean | Promise<boolean>;

interface Waiting {
  readonly decide: Decide;
  readonly answer: (granted: boolean) => void;
}

/**
 * Requests on one channel, decided and answered in their order: a client matches answers to requests by it
 * (RFC 4254 section 5.4), and one that takes a moment, such as a display, must be done before the command starts.
 */
export class RequestQueue {
  readonly #waiting: Waiting[] = [];
  #busy = false;

  /** False: too many are waiting. */
  push(decide: Decide, answer: (granted: boolean) => void): boolean {
    if (this.#waiting.length >= limits.SSH_PENDING_REQUESTS) return false;
    this.#waiting.push({ decide, answer });
    this.#serve();
    return true;
  }

  #serve(): void {
    while (!this.#busy) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const decision = next.decide();
      if (typeof decision === 'boolean') {
        next.answer(decision);
        continue;
      }
      this.#busy = true;
      void decision.then((granted) => {
        next.answer(granted);
        this.#busy = false;
        this.#serve();
      });
    }
  }
}
