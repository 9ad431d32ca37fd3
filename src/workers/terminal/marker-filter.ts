/** Finds a mark in a stream of chunks and lets through what comes before it. */
export class MarkerFilter {
  readonly #mark: Buffer;
  /** The end of the last chunk, as far as it could be the beginning of the mark. */
  #held: Buffer = Buffer.alloc(0);
  #found = false;

  constructor(mark: Uint8Array) {
    this.#mark = Buffer.from(mark);
  }

  /** What is surely not the mark. Once `found`, everything after the mark is dropped. */
  feed(chunk: Uint8Array): { readonly output: Uint8Array; readonly found: boolean } {
    if (this.#found) return { output: new Uint8Array(0), found: true };
    const bytes = Buffer.concat([this.#held, chunk]);
    const at = bytes.indexOf(this.#mark);
    if (at !== -1) {
      this.#found = true;
      this.#held = Buffer.alloc(0);
      return { output: bytes.subarray(0, at), found: true };
    }
    let hold = Math.min(bytes.length, this.#mark.length - 1);
    while (hold > 0 && bytes.compare(this.#mark, 0, hold, bytes.length - hold) !== 0) hold -= 1;
    this.#held = bytes.subarray(bytes.length - hold);
    return { output: bytes.subarray(0, bytes.length - hold), found: false };
  }

  /** What is held back; it turned out not to be the mark. */
  flush(): Uint8Array {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    return held;
  }
}
