/** Messages of up to this many bytes waiting on a channel make it interactive: keys, echoes, credit. */
const INTERACTIVE_BYTES = 2_048;
/** After so many interactive turns in a row one bulk channel has its turn, so that none starves. */
const INTERACTIVE_TURNS = 16;

/** One channel as the queue sees it. */
export interface Lane {
  readonly queuedBytes: number;
}

/**
 * Whose turn it is to send: round-robin over the lanes that have something, those with little before
 * those with much. A lane has one message sent per turn, so what a bulk lane costs an interactive one is
 * one message. Holds each lane at most once.
 */
export class FairQueue<L extends Lane> {
  readonly #interactive: L[] = [];
  readonly #bulk: L[] = [];
  readonly #waiting = new Set<L>();
  #turns = 0;

  /** Puts `lane` at the end; does nothing if it waits already. */
  add(lane: L): void {
    if (this.#waiting.has(lane)) return;
    this.#waiting.add(lane);
    if (lane.queuedBytes <= INTERACTIVE_BYTES) this.#interactive.push(lane);
    else this.#bulk.push(lane);
  }

  /** Takes the lane whose turn it is. Absent: none waits. */
  next(): L | undefined {
    let lane: L | undefined;
    if (this.#turns < INTERACTIVE_TURNS || this.#bulk.length === 0) {
      lane = this.#interactive.shift();
      if (lane !== undefined) this.#turns += 1;
    }
    if (lane === undefined) {
      lane = this.#bulk.shift();
      this.#turns = 0;
    }
    if (lane !== undefined) this.#waiting.delete(lane);
    return lane;
  }

  clear(): void {
    this.#interactive.length = 0;
    this.#bulk.length = 0;
    this.#waiting.clear();
  }
}
