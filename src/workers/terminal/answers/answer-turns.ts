import { SequenceScanner } from '../../../shared/node/vt/index.js';
import type { Viewer } from '../viewer.js';

/** Who answers the queries in a part of the log. Absent: nobody. */
export type Answerer = Viewer | 'agent' | undefined;

/** From this log position on, until the next turn. */
interface Turn {
  readonly from: number;
  readonly who: Answerer;
}

/** Most turns kept; older ones are nobody's any more. A bound for a terminal whose typists alternate. */
const MAX_TURNS = 256;

/**
 * Who answers which part of the log. Each byte has one answerer at most, decided when it is appended and
 * never changed after; it changes only between two sequences, so that no query is answered by halves. Not
 * even by two: a viewer's answers are typed by its emulator, and every other viewer is told to be quiet.
 */
export class AnswerTurns {
  readonly #turns: Turn[];
  readonly #scanner = new SequenceScanner();
  /** Who is to answer from the next boundary on. */
  #next: { readonly who: Answerer } | undefined;
  #head: number;

  /** @param head Where the log ends; what comes before it nobody answers any more. */
  constructor(head: number) {
    this.#head = head;
    this.#turns = [{ from: head, who: undefined }];
  }

  /** Who answers from the next boundary on. */
  get current(): Answerer {
    return this.#next === undefined ? this.now : this.#next.who;
  }

  /** Who answers what is appended now. */
  get now(): Answerer {
    return this.#turns.at(-1)?.who;
  }

  /** Whether `viewer` answers the byte at `offset`, and up to where that is so. */
  at(offset: number, viewer: Viewer): { readonly answers: boolean; readonly until: number } {
    let until = Number.POSITIVE_INFINITY;
    for (let index = this.#turns.length - 1; index >= 0; index -= 1) {
      const { from, who } = this.#turns[index] as Turn;
      if (offset >= from) return { answers: who === viewer, until };
      until = from;
    }
    return { answers: false, until };
  }

  /** Gives the turn to `who` from the next boundary on. Returns the log position if that is now. */
  give(who: Answerer): number | undefined {
    if (who === this.current) return undefined;
    this.#next = { who };
    return this.#scanner.atBoundary ? this.#take(this.#head) : undefined;
  }

  /**
   * Gives `who` everything that nobody had the turn for yet: whoever started the terminal, however late it
   * comes, answers from the first byte on.
   */
  giveAll(who: Answerer): void {
    const [first] = this.#turns;
    if (first === undefined || this.#turns.length > 1 || first.who !== undefined) return;
    this.#turns[0] = { from: first.from, who };
    this.#next = undefined;
  }

  /** Follows the output. Returns the position within `bytes` from which the turn has changed, if it did. */
  appended(bytes: Uint8Array): number | undefined {
    let changed: number | undefined;
    if (this.#next !== undefined) {
      let at = 0;
      while (at < bytes.length && !this.#scanner.atBoundary) {
        this.#scanner.next(bytes[at] as number);
        at += 1;
      }
      if (this.#scanner.atBoundary) {
        this.#take(this.#head + at);
        changed = at;
      }
      this.#scanner.skip(bytes.subarray(at));
    } else {
      this.#scanner.skip(bytes);
    }
    this.#head += bytes.length;
    return changed;
  }

  /** What is older than `oldest` is asked for no more. */
  forget(oldest: number): void {
    while (this.#turns.length > 1 && (this.#turns[1] as Turn).from <= oldest) this.#turns.shift();
  }

  /** `viewer` has gone: nothing keeps it in memory. */
  left(viewer: Viewer): void {
    for (const [index, { from, who }] of this.#turns.entries()) {
      if (who === viewer) this.#turns[index] = { from, who: undefined };
    }
  }

  #take(from: number): number {
    const who = this.#next?.who;
    this.#next = undefined;
    const last = this.#turns.at(-1);
    if (last?.from === from) this.#turns.pop();
    this.#turns.push({ from, who });
    if (this.#turns.length > MAX_TURNS) this.#turns.shift();
    return from;
  }
}
