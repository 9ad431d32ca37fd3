import { limits } from '../../../shared/common/index.js';
import type { Ssh2Protocol } from './internals.js';

/** Exit status of a session that failed on the agent's side, as the original's successors have it. */
export const FAILED_STATUS = 229;

/** One global request that wants an answer. Answering twice does nothing. */
export interface Reply {
  succeed(data?: Buffer): void;
  fail(): void;
}

/**
 * Answers to global requests in the order of the requests, as RFC 4254 section 4 needs, although a
 * forward takes a moment to listen. One that stayed unanswered would hold back all later ones, keepalives
 * too.
 */
export class GlobalReplies {
  readonly #protocol: Ssh2Protocol;
  readonly #queue: (() => void)[] = [];
  readonly #ready = new Set<() => void>();

  constructor(protocol: Ssh2Protocol) {
    this.#protocol = protocol;
  }

  /** Reserves the next answer. Absent: too many are waiting, and the connection should end. */
  reserve(): Reply | undefined {
    if (this.#queue.length >= limits.SSH_PENDING_REQUESTS) return undefined;
    let answer = (): void => undefined;
    const send = (): void => {
      answer();
    };
    this.#queue.push(send);
    let answered = false;
    const settle = (how: () => void): void => {
      if (answered) return;
      answered = true;
      answer = how;
      this.#ready.add(send);
      this.#flush();
    };
    return {
      succeed: (data) => {
        settle(() => {
          this.#protocol.requestSuccess(data);
        });
      },
      fail: () => {
        settle(() => {
          this.#protocol.requestFailure();
        });
      },
    };
  }

  #flush(): void {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (!this.#ready.delete(first)) return;
      this.#queue.shift();
      // The protocol throws once the connection is dead; then nobody waits for answers either.
      if (this.#protocol._destruct !== undefined) first();
    }
  }
}
