import {
  deferred,
  fromErrorRecord,
  HoldfastError,
  toErrorRecord,
  type Deferred,
} from '../../../shared/common/index.js';
import type { TerminalAnswer } from '../../../shared/node/ports/index.js';

/**
 * What main has asked the worker of one terminal. How many wait is bounded by what each peer may ask at
 * once.
 */
export class Questions {
  readonly #open = new Map<number, Deferred<TerminalAnswer>>();
  #last = 0;

  /** `send` takes the number under which the answer comes. */
  ask(send: (request: number) => void): Promise<TerminalAnswer> {
    this.#last += 1;
    const answer = deferred<TerminalAnswer>();
    this.#open.set(this.#last, answer);
    send(this.#last);
    return answer.promise;
  }

  answered(request: number, answer: TerminalAnswer): void {
    this.#open.get(request)?.resolve(answer);
    this.#open.delete(request);
  }

  /** The worker that was asked is gone. */
  giveUp(): void {
    const error = toErrorRecord(workerLost());
    for (const question of this.#open.values()) question.resolve({ type: 'refused', error });
    this.#open.clear();
  }
}

/** There is no worker to ask, or none any more. */
export function workerLost(): HoldfastError {
  return new HoldfastError('ERR_WORKER_LOST', 'the terminal changes its worker');
}

/** @throws {HoldfastError} what the worker refused with. */
export function raise(answer: TerminalAnswer): never {
  throw answer.type === 'refused'
    ? fromErrorRecord(answer.error)
    : new HoldfastError('ERR_INTERNAL', 'an answer to another question');
}
