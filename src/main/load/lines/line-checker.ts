import { LINE_BYTES, type LinePattern } from './line-pattern.js';

/** Something that is not as it was printed. */
export type LineFault =
  /** Bytes that were printed and are not there, though nobody said so. */
  | { readonly kind: 'lost'; readonly bytes: number }
  /** Bytes that were there before. */
  | { readonly kind: 'doubled'; readonly bytes: number }
  /** Lines of another content than was printed, or what is no line at all. */
  | { readonly kind: 'corrupt'; readonly lines: number };

/**
 * Where in the log of a terminal its lines begin: behind what a shell may print before it runs the program.
 * Shared by all who check the same terminal; whoever sees the first whole line finds it.
 */
export interface LineStart {
  /** Log position of the first line. Absent: nobody has seen one. */
  offset: number | undefined;
}

export interface LineCheckerOptions {
  readonly pattern: LinePattern;
  readonly start: LineStart;
  /**
   * @param offset Log position near which it happened.
   * @param sample The first bytes that are wrong.
   */
  readonly onFault: (fault: LineFault, offset: number, sample: Uint8Array) => void;
}

/** No profile of a shell prints more than this; what comes before the first line beyond it is corrupt. */
const MAX_PREFACE_BYTES = 64 * 1_024;

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
  /** What is at log position `p` should, if nothing is wrong, be at `p + #shift`. */
  #shift = 0;
  #held: Held | undefined;
  /** The end of what came before the first line, so far. */
  #preface: { readonly offset: number; readonly bytes: Buffer } | undefined;
  #prefaceBytes = 0;
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
    const { start } = this.#options;
    const held = this.#held;
    if (held !== undefined) {
      this.#held = undefined;
      this.#search({ ...held, bytes: Buffer.concat([held.bytes, bytes]) });
    } else if (start.offset === undefined) {
      this.#findStart(bytes, offset);
    } else {
      const before = Math.max(0, start.offset - offset);
      if (before < bytes.length) this.#compare(bytes.subarray(before), offset + before);
    }
  }

  /** Bytes of the log will not come, and the viewer was told, or the output has ended. */
  interrupted(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#preface = undefined;
    if (held !== undefined) this.#corrupt(held, held.bytes.length);
  }

  /** Looks for the first whole line, which says where the lines begin. */
  #findStart(bytes: Uint8Array, offset: number): void {
    const { start, pattern } = this.#options;
    const all = Buffer.concat([this.#preface?.bytes ?? Buffer.alloc(0), bytes]);
    const allAt = this.#preface?.offset ?? offset;
    const found = firstLine(pattern, all, 0, Math.floor(allAt / LINE_BYTES));
    if (found !== undefined) {
      this.#preface = undefined;
      // Lines that are missing before the first one cannot have begun before the log.
      start.offset = Math.max(0, allAt + found.at - found.number * LINE_BYTES);
      const before = Math.max(0, start.offset - allAt);
      this.#compare(all.subarray(before), allAt + before);
      return;
    }
    const keep = Math.max(0, all.length - 2 * LINE_BYTES);
    this.#preface = { offset: allAt + keep, bytes: all.subarray(keep) };
    this.#prefaceBytes += bytes.length;
    if (this.#prefaceBytes > MAX_PREFACE_BYTES) {
      const lines = Math.max(1, Math.round(bytes.length / LINE_BYTES));
      this.#report({ kind: 'corrupt', lines }, offset, bytes.subarray(0, LINE_BYTES));
    }
  }

  /** What should be at log position `offset`, as a position among the lines. */
  #position(offset: number): number {
    return offset - (this.#options.start.offset ?? 0) + this.#shift;
  }

  #compare(bytes: Uint8Array, offset: number): void {
    const right = this.#options.pattern.matching(bytes, this.#position(offset));
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
    const position = this.#position(offset + wrongAt);
    const number = Math.floor(position / LINE_BYTES) + 1;
    const at = wrongAt + number * LINE_BYTES - position;
    return this.#options.pattern.numberAt(bytes, at, number) === number
      ? { at, number }
      : undefined;
  }

  /** The first whole line behind the wrong byte, or the one that it begins. */
  #nextAnywhere({ offset, bytes, wrongAt }: Held): { at: number; number: number } | undefined {
    const near = Math.floor(this.#position(offset + wrongAt) / LINE_BYTES);
    // A line that was swapped for another may agree with it at its beginning.
    const from = wrongAt === 0 ? 0 : bytes.lastIndexOf(0x0a, wrongAt - 1) + 1;
    return firstLine(this.#options.pattern, bytes, from, near);
  }

  #goOn(held: Held, at: number, number: number): void {
    const { offset, bytes, wrongAt } = held;
    const jump = number * LINE_BYTES - this.#position(offset + at);
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

/** The first whole line of `pattern` that begins at `from` or behind a line break. */
function firstLine(
  pattern: LinePattern,
  bytes: Buffer,
  from: number,
  near: number,
): { readonly at: number; readonly number: number } | undefined {
  for (let at = from; at + LINE_BYTES <= bytes.length;) {
    const number = pattern.numberAt(bytes, at, near);
    if (number !== undefined) return { at, number };
    const lineBreak = bytes.indexOf(0x0a, at);
    if (lineBreak === -1) return undefined;
    at = lineBreak + 1;
  }
  return undefined;
}
