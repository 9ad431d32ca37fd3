import { SequenceScanner } from '../../../shared/node/vt/index.js';

/** Longest beginning that is kept: beyond it the program is not sending a sequence. */
const MAX_BYTES = 4_096;

/** The sequence or character that output has begun and not ended. Holds at most 4 KiB. */
export class Unfinished {
  #scanner = new SequenceScanner();
  #bytes: Uint8Array = new Uint8Array();

  /** Empty at a boundary. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Takes in what was shown. */
  push(bytes: Uint8Array): void {
    // What began before that is too long to be kept.
    const from = Math.max(0, bytes.length - MAX_BYTES);
    if (from > 0) {
      this.#scanner.skip(bytes.subarray(0, from));
      this.#bytes = new Uint8Array();
    }
    let start = this.#bytes.length === 0 && this.#scanner.atBoundary ? from : -1;
    for (let at = from; at < bytes.length; at += 1) {
      this.#scanner.next(bytes[at] as number);
      if (this.#scanner.atBoundary) start = at + 1;
    }
    if (start >= 0) this.#bytes = bytes.slice(start);
    else if (from > 0) this.#bytes = new Uint8Array();
    else this.#bytes = Buffer.concat([this.#bytes, bytes]);
    if (this.#bytes.length > MAX_BYTES) this.#bytes = new Uint8Array();
  }

  clear(): void {
    this.#scanner = new SequenceScanner();
    this.#bytes = new Uint8Array();
  }
}
