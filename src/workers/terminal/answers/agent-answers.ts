import { limits, type Clock } from '../../../shared/common/index.js';
import { RateLimit } from '../../../shared/common/framing/index.js';
import { answerTo, type ScreenFacts } from './answer-to.js';
import { SequenceReader } from './sequence-reader.js';

export interface AgentAnswersOptions {
  readonly clock: Clock;
  /** Types an answer; `done` is called when the program can read it. */
  type(bytes: Uint8Array, done: () => void): void;
}

/**
 * The agent as the terminal that answers, while nobody is attached who could. Rate and backlog are bounded:
 * a program that only asks must not keep the worker busy, and one that does not read gets no more.
 */
export class AgentAnswers {
  readonly #options: AgentAnswersOptions;
  readonly #rate: RateLimit;
  readonly #screenRate: RateLimit;
  #reader = new SequenceReader();
  #pending = 0;

  constructor(options: AgentAnswersOptions) {
    this.#options = options;
    this.#rate = new RateLimit(options.clock, limits.ANSWERS_PER_SECOND);
    this.#screenRate = new RateLimit(options.clock, limits.SCREEN_ANSWERS_PER_SECOND);
  }

  /** Begins anew, between two sequences. */
  reset(): void {
    this.#reader = new SequenceReader();
  }

  /** The next output. `screen` says how the screen is right behind the byte at `index`. */
  feed(bytes: Uint8Array, screen: (index: number) => ScreenFacts): void {
    for (let at = this.#reader.textEnd(bytes, 0); at < bytes.length;) {
      const step = this.#reader.next(bytes[at] as number);
      if (step.type === 'end' && step.sequence !== undefined) {
        const facts = screen(at);
        const answer = answerTo(step.sequence, step.by, {
          size: facts.size,
          ask: (query) => (this.#screenRate.take() ? facts.ask(query) : undefined),
        });
        if (answer !== undefined) this.#send(answer);
      }
      at = this.#reader.textEnd(bytes, at + 1);
    }
  }

  #send(answer: string): void {
    const bytes = Buffer.from(answer, 'latin1');
    if (this.#pending + bytes.length > limits.ANSWERS_PENDING_BYTES || !this.#rate.take()) return;
    this.#pending += bytes.length;
    this.#options.type(bytes, () => {
      this.#pending -= bytes.length;
    });
  }
}
