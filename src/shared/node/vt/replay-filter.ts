import { SequenceScanner } from './scanner.js';
import { stripQueries } from './strip-queries.js';

/** Longest unfinished sequence that is held back: beyond it the program is not sending one. */
const HELD_BYTES = 4_096;

/**
 * Takes the queries out of a replay that comes in pieces cut anywhere: an unfinished sequence is held
 * until the rest of it is there.
 */
export class ReplayFilter {
  #held: Uint8Array = new Uint8Array();

  /** The next piece of replay, as it may be shown. */
  push(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const all = this.#join(bytes);
    const scanner = new SequenceScanner();
    let boundary = 0;
    for (let at = 0; at < all.length; at += 1) {
      scanner.next(all[at] as number);
      if (!scanner.inSequence) boundary = at + 1;
    }
    if (all.length - boundary > HELD_BYTES) boundary = all.length;
    this.#held = all.slice(boundary);
    return stripQueries(all.subarray(0, boundary));
  }

  /** What was held back: the replay is over, and what follows is the rest of it. */
  finish(): Uint8Array {
    const held = this.#held;
    this.#held = new Uint8Array();
    return held;
  }

  #join(bytes: Uint8Array): Uint8Array {
    if (this.#held.length === 0) return bytes;
    const all = new Uint8Array(this.#held.length + bytes.length);
    all.set(this.#held);
    all.set(bytes, this.#held.length);
    return all;
  }
}
