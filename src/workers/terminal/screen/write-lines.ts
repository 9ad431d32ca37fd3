import {
  BG,
  COLOR_BITS,
  COMBINED,
  CODE_MASK,
  CONTENT_MASK,
  EMPTY,
  WIDTH_SHIFT,
  type ExtendedAttributes,
  type Line,
} from './internals.js';
import type { Pen } from './pen.js';

/** A full-width space. */
const WIDE = '\u3000';

/**
 * Lines of a buffer as the bytes that write them into an empty one, top to bottom. Works in a state with
 * default modes, margins and charsets, with the cursor at the start of the first line.
 *
 * Empty cells stay empty and are not written as blanks; lines that are the continuation of the one before
 * become so again, since a later change of the width joins them.
 */
export class LineWriter {
  readonly #pen: Pen;
  readonly #cols: number;
  readonly #canStepBack: boolean;
  #out = '';
  /** Column of the cursor; `cols`: a wrap is pending. */
  #x = 0;

  constructor(pen: Pen, size: { readonly rows: number; readonly cols: number }) {
    this.#pen = pen;
    this.#cols = size.cols;
    this.#canStepBack = size.rows > 1;
  }

  write(lines: readonly Line[]): string {
    this.#out = '';
    this.#x = 0;
    let isPrepared = false;
    if (lines[0]?.isWrapped === true && this.#canStepBack) this.#continueNothing();
    lines.forEach((line, index) => {
      const next = lines[index + 1];
      if (index > 0) this.#nextLine(line, isPrepared);
      isPrepared = next?.isWrapped === true && this.#canStepBack && !wrapsByItself(line, next);
      if (isPrepared) this.#prepareWrap();
      this.#line(line);
    });
    return this.#out;
  }

  /** One cell's own text, with its attributes, at the cursor. */
  cell(line: Line, x: number): string {
    this.#out = '';
    this.#x = x;
    this.#character(line, x);
    return this.#out;
  }

  #nextLine(line: Line, isPrepared: boolean): void {
    if (isPrepared) {
      // It exists and is marked as continued; its first cell holds the character that made it so.
      this.#out += `${this.#pen.reset()}\x1b[B\r\x1b[X`;
      this.#x = 0;
    } else if (line.isWrapped && this.#x === this.#cols) {
      this.#x = -1;
    } else {
      // A line that scrolls in takes the colour of the pen.
      this.#out += `${this.#pen.reset()}\r\n`;
      this.#x = 0;
    }
  }

  /** Marks the line below as the continuation of this one, which is empty, and comes back. */
  #prepareWrap(): void {
    this.#out += this.#pen.reset();
    // The wrap that is pending happens now.
    if (this.#x === -1) this.#out += 'x';
    this.#out += `\x1b[${String(this.#cols)}Gxx\x1b[A\r\x1b[${String(this.#cols)}X`;
    this.#x = 0;
  }

  /** Marks the first line as the continuation of one that has been deleted. */
  #continueNothing(): void {
    this.#out += `\x1b[${String(this.#cols)}Gxx\x1b[H\x1b[M\x1b[X`;
  }

  #line(line: Line): void {
    const isDisturbed = this.#oddCells(line);
    const data = line._data;
    // What odd cells were made with may lie behind all that is there.
    const end = isDisturbed ? line.length : lineEnd(line);
    for (let x = 0; x < end;) {
      const content = data[3 * x] as number;
      if ((content & CONTENT_MASK) !== 0) {
        x = this.#character(line, x);
      } else if (isEmptyCell(line, x)) {
        x = this.#erased(line, x, end, isDisturbed);
      } else {
        x += 1;
      }
    }
  }

  /** A run of empty cells of one colour. */
  #erased(line: Line, from: number, end: number, isDisturbed: boolean): number {
    const data = line._data;
    const bg = data[3 * from + 2] as number;
    let to = from + 1;
    while (to < end && isEmptyCell(line, to) && data[3 * to + 2] === bg) to += 1;
    if (bg !== 0 || isDisturbed) {
      this.#moveTo(from);
      this.#out += `${this.#pen.set(0, bg, undefined)}\x1b[${String(to - from)}X`;
    }
    return to;
  }

  #character(line: Line, x: number): number {
    const data = line._data;
    const content = data[3 * x] as number;
    const width = content >>> WIDTH_SHIFT;
    // No room for its second half: only a change of the size leaves such a cell behind.
    if (x + width > this.#cols) return x + 1;
    // Alone in its cell a combining character must not meet the one before.
    this.#moveTo(x, width === 0);
    const extended = extendedOf(line, x);
    const fg = data[3 * x + 1] as number;
    const bg = data[3 * x + 2] as number;
    this.#out += this.#pen.set(fg, bg, extended);
    this.#out += textOf(line, x, content);
    this.#x = x + Math.max(1, width);
    return this.#x;
  }

  #moveTo(x: number, always = false): void {
    // A pending wrap takes the first character of the line to its place.
    const isThere = this.#x === x || (this.#x === -1 && x === 0);
    if (isThere && !always) return;
    this.#out += `\x1b[${String(x + 1)}G`;
    this.#x = x;
  }

  /**
   * Cells that no plain writing leaves behind: empty ones with attributes, once half of a wide character,
   * and second halves without a first. They are made as they came about, before all else in the line,
   * since that harms their neighbours.
   */
  #oddCells(line: Line): boolean {
    const halves: number[] = [];
    const empties: number[] = [];
    const data = line._data;
    for (let x = 0; x < this.#cols; x += 1) {
      const content = data[3 * x] as number;
      if ((content & CONTENT_MASK) !== 0) continue;
      if (content === EMPTY) {
        if (!isEmptyCell(line, x)) empties.push(x);
      } else if (x === 0 || (data[3 * x - 3] as number) >>> WIDTH_SHIFT !== 2) {
        halves.push(x);
      }
    }
    for (const x of halves) this.#halfWithoutFirst(line, x);
    for (const x of empties.reverse()) this.#emptyWithAttributes(line, x);
    return halves.length > 0 || empties.length > 0;
  }

  /** Inserting in the middle of a wide character moves its second half away from its first. */
  #halfWithoutFirst(line: Line, x: number): void {
    if (x < 1 || this.#cols < 3) return;
    const first = Math.max(0, x - 2);
    this.#moveTo(first);
    this.#out += this.#penOf(line, x) + WIDE;
    this.#out += `\x1b[${String(first + 2)}G${this.#pen.reset()}\x1b[@`;
    this.#x = first + 1;
    if (x > 1) return;
    // It is one too far to the right.
    this.#moveTo(0);
    this.#out += '\x1b[P';
  }

  /** Overwriting one half of a wide character empties the other in the attributes of the pen. */
  #emptyWithAttributes(line: Line, x: number): void {
    const first = Math.max(0, x - 1);
    if (first + 2 > this.#cols) return;
    this.#moveTo(first);
    this.#out += WIDE;
    this.#x = first + 2;
    this.#moveTo(x === 0 ? 1 : first, true);
    this.#out += `${this.#penOf(line, x)}x`;
    this.#x += 1;
  }

  #penOf(line: Line, x: number): string {
    const fg = line._data[3 * x + 1] as number;
    return this.#pen.set(fg, line._data[3 * x + 2] as number, extendedOf(line, x));
  }
}

/** One more than the last column that is not as in a blank line. */
export function lineEnd({ _data: data, length }: Line): number {
  let x = length;
  while (x > 0 && data[3 * x - 3] === EMPTY && data[3 * x - 2] === 0 && data[3 * x - 1] === 0) {
    x -= 1;
  }
  return x;
}

/** Empty, with nothing but a background colour: what erasing leaves. */
function isEmptyCell({ _data: data }: Line, x: number): boolean {
  return (
    data[3 * x] === EMPTY &&
    data[3 * x + 1] === 0 &&
    ((data[3 * x + 2] as number) & ~COLOR_BITS) === 0
  );
}

/**
 * Whether writing `line` to its end and then the first character of `next` makes `next` its continuation,
 * and leaves the rest of it blank.
 */
function wrapsByItself(line: Line, next: Line): boolean {
  const last = line._data[3 * line.length - 3] as number;
  const first = next._data[0] as number;
  const bg = next._data[2] as number;
  if ((first & CONTENT_MASK) === 0 || first >>> WIDTH_SHIFT === 0) return false;
  if ((bg & COLOR_BITS) !== 0 || hasOddCells(next) || hasOddCells(line)) return false;
  return (last & CONTENT_MASK) !== 0 || isSecondHalf(line, line.length - 1);
}

function hasOddCells(line: Line): boolean {
  for (let x = 0; x < line.length; x += 1) {
    const content = line._data[3 * x] as number;
    if ((content & CONTENT_MASK) !== 0 || isEmptyCell(line, x)) continue;
    if (!isSecondHalf(line, x)) return true;
  }
  return false;
}

function isSecondHalf({ _data: data }: Line, x: number): boolean {
  const content = data[3 * x] as number;
  return (
    content >>> WIDTH_SHIFT === 0 && x > 0 && (data[3 * x - 3] as number) >>> WIDTH_SHIFT === 2
  );
}

export function extendedOf(line: Line, x: number): ExtendedAttributes | undefined {
  return ((line._data[3 * x + 2] as number) & BG.extended) === 0
    ? undefined
    : line._extendedAttrs[x];
}

export function textOf(line: Line, x: number, content: number): string {
  if ((content & COMBINED) !== 0) return line._combined[x] ?? '';
  return String.fromCodePoint(content & CODE_MASK);
}
