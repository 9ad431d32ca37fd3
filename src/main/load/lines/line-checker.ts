import { LINE_BYTES, type LinePattern } from './line-pattern.js';

/** Something that is not as it was printed. */
export type LineFault =
  /** Bytes that were printed and are not there, though nobody said so. */
  | { readonly kind: 'lost'; readonly bytes: number }
  /** Bytes that were there before. */
  | { readonly kind: 'doubled'; readonly bytes: number }
  /** Lines of another content than was printed, or what is no line at all. */
  | { readonly kind: 'corrupt'; readonly lines: number };

export interface LineCheckerOptions {
  readonly pattern: LinePattern;
  /**
   * @param offset Log position near which it happened.
   * @param sample The first bytes that are wrong.
   */
  readonly onFault: (fault: LineFault, offset: number, sample: Uint8Array) => void;
}

/** Output that is not understood yet. */
interface Held {
  /** Log position of its first byte. */
  readonly offset: number;
  readonly bytes: Buffer;
  /** Index of the first byte that is wrong. */
  readonly wrongAt: number;
  /** What was wrong before these bytes has been told. */
  readonly told: boolean;
}

/**
 * Holds the output that one viewer gets against what was printed, byte by byte. Where they part it looks for
 * the next whole line, which says by its number whether something was lost, doubled or changed, and goes on
 * from there: so each fault counts once. Memory: what is looked through, at most one piece of output and two
 * lines.
 */
export class LineChecker {
  readonly #options: LineCheckerOptions;
  /** What was printed at log position `p` is what should have been printed at `p + #shift`. */
  #shift = 0;
  #held: Held | undefined;
  #checkedBytes = 0;

  constructor(options: LineCheckerOptions) {
    this.#options = options;
  }

  /** Bytes looked at so far. */
  get checkedBytes(): number {
    return this.#checkedBytes;
  }

  /** The log bytes from `offset` on; not kept. */
  push(bytes: Uint8Array, offset: number): void {
    this.#checkedBytes += bytes.length;
    const held = this.#held;
    if (held === undefined) {
      this.#compare(bytes, offset);
      return;
    }
    this.#held = undefined;
    const all = Buffer.concat([held.bytes, bytes]);
    this.#search({ ...held, bytes: all });
  }

  /** Bytes of the log will not come, and the viewer was told, or the output has ended. */
  interrupted(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#corrupt(held, held.bytes.length);
  }

  #compare(bytes: Uint8Array, offset: number): void {
    const right = this.#options.pattern.matching(bytes, offset + this.#shift);
    if (right === bytes.length) return;
    this.#search({ offset, bytes: Buffer.from(bytes), wrongAt: right, told: false });
  }

  /** Looks for the line from which everything is right again. */
  #search(held: Held): void {
    const next = this.#nextAligned(held) ?? this.#nextAnywhere(held);
    if (next !== undefined) {
      this.#goOn(held, next.at, next.number);
      return;
    }
    const { bytes, offset } = held;
    // A line that is not whole yet may still be one, after the last line break or without any.
    const keep = Math.max(held.wrongAt, bytes.length - 2 * LINE_BYTES);
    if (keep > held.wrongAt + LINE_BYTES) {
      this.#corrupt(held, keep);
      this.#held = { offset: offset + keep, bytes: bytes.subarray(keep), wrongAt: 0, told: true };
    } else {
      this.#held = held;
    }
  }

  /** The line after the wrong byte, where it would be if only bytes had been changed. */
  #nextAligned({ offset, bytes, wrongAt }: Held): { at: number; number: number } | undefined {
    const position = offset + wrongAt + this.#shift;
    const number = Math.floor(position / LINE_BYTES) + 1;
    const at = wrongAt + number * LINE_BYTES - position;
    return this.#options.pattern.numberAt(bytes, at, number) === number
      ? { at, number }
      : undefined;
  }

  /** The first whole line behind the wrong byte, or the one that it begins. */
  #nextAnywhere({ offset, bytes, wrongAt }: Held): { at: number; number: number } | undefined {
    const near = Math.floor((offset + wrongAt + this.#shift) / LINE_BYTES);
    // A line that was swapped for another may agree with it at its beginning.
    let at = wrongAt === 0 ? 0 : bytes.lastIndexOf(0x0a, wrongAt - 1) + 1;
    while (at + LINE_BYTES <= bytes.length) {
      const number = this.#options.pattern.numberAt(bytes, at, near);
      if (number !== undefined) return { at, number };
      const lineBreak = bytes.indexOf(0x0a, at);
      if (lineBreak === -1) return undefined;
      at = lineBreak + 1;
    }
    return undefined;
  }

  #goOn(held: Held, at: number, number: number): void {
    const { offset, bytes, wrongAt } = held;
    const jump = number * LINE_BYTES - (offset + at + this.#shift);
    this.#shift += jump;
    const sample = bytes.subarray(wrongAt, wrongAt + LINE_BYTES);
    if (jump > 0) this.#report({ kind: 'lost', bytes: jump }, offset + wrongAt, sample);
    else if (jump < 0) this.#report({ kind: 'doubled', bytes: -jump }, offset + wrongAt, sample);
    else this.#corrupt(held, at);
    this.#compare(bytes.subarray(at), offset + at);
  }

  /** What is between the wrong byte and `end` counts as lines, at least one if none was told before. */
  #corrupt({ offset, bytes, wrongAt, told }: Held, end: number): void {
    const lines = Math.max(told ? 0 : 1, Math.round((end - wrongAt) / LINE_BYTES));
    if (lines === 0) return;
    const sample = bytes.subarray(wrongAt, wrongAt + LINE_BYTES);
    this.#report({ kind: 'corrupt', lines }, offset + wrongAt, sample);
  }

  #report(fault: LineFault, offset: number, sample: Uint8Array): void {
    this.#options.onFault(fault, offset, sample);
  }
}
