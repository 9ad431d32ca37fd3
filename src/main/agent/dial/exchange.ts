import type { ErrorRecord } from '../../../shared/common/index.js';
import type { AgentSignal, IceCandidate } from '../../../shared/common/wire/index.js';
import { limits } from '../../../shared/common/index.js';
import type { SignalExchange } from './types.js';

/** The agent's half of one signalling session. */
export class Exchange implements SignalExchange {
  readonly #session: string;
  readonly #send: (message: AgentSignal) => void;
  readonly #onOwnEnd: () => void;
  /** Candidates may overtake the handler that waits for them. */
  readonly #early: IceCandidate[] = [];
  #candidateHandler: ((candidate: IceCandidate) => void) | undefined;
  #goneHandler: (() => void) | undefined;
  #stands = false;
  #ended = false;
  #superseded = false;

  constructor(session: string, send: (message: AgentSignal) => void, onOwnEnd: () => void) {
    this.#session = session;
    this.#send = send;
    this.#onOwnEnd = onOwnEnd;
  }

  answer(sdp: string): void {
    if (this.#isLive()) this.#send({ type: 'answer', session: this.#session, sdp });
  }

  candidate(candidate: IceCandidate): void {
    if (this.#isLive()) this.#send({ type: 'candidate', session: this.#session, candidate });
  }

  end(error?: ErrorRecord): void {
    if (this.#isLive()) {
      this.#send({ type: 'end', session: this.#session, error });
      this.#onOwnEnd();
    }
    this.#ended = true;
    this.#early.length = 0;
  }

  onCandidate(handler: (candidate: IceCandidate) => void): void {
    this.#candidateHandler = handler;
    for (const candidate of this.#early.splice(0)) handler(candidate);
  }

  /** It is for a connection that stands, and not among those in progress. */
  get isStanding(): boolean {
    return this.#stands;
  }

  stands(): void {
    this.#stands = true;
    this.#early.length = 0;
  }

  onGone(handler: () => void): void {
    this.#goneHandler = handler;
  }

  /** A candidate of the client came. */
  receive(candidate: IceCandidate): void {
    if (this.#ended || this.#stands) return;
    if (this.#candidateHandler !== undefined) this.#candidateHandler(candidate);
    else if (this.#early.length < limits.SIGNAL_SESSION_MESSAGES) this.#early.push(candidate);
  }

  /** `client`: it gave up, or has gone. `broker`: it is gone, which says nothing of the client. */
  remoteEnded(who: 'client' | 'broker'): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#early.length = 0;
    if (this.#stands && who === 'client') this.#goneHandler?.();
  }

  /**
   * The client takes a relay instead. What becomes of the direct attempt must no longer end the
   * session, in which the relay is being set up.
   */
  supersede(): void {
    this.#superseded = true;
  }

  #isLive(): boolean {
    return !this.#ended && !this.#superseded;
  }
}
