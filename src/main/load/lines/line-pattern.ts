/** Length of each line, its line break included. */
export const LINE_BYTES = 128;
/** Digits of the number of a line and of its check value. Beyond the last number it begins at 0 again. */
const DIGITS = 9;
export const NUMBERS = 10 ** DIGITS;
/** The check value of line `n` is `(n * CHECK_STEP + key) mod CHECK_PRIME`, so that each step adds one number. */
export const CHECK_STEP = 48_271;
export const CHECK_PRIME = 999_999_937;
const NUMBER_AT = 0;
const CHECK_AT = NUMBER_AT + DIGITS + 1;
const TEXT_AT = CHECK_AT + DIGITS + 1;
const TEXT_BYTES = LINE_BYTES - TEXT_AT - 2;
/** Lines of the template: one copy of it makes 4 KiB of text in which only digits are missing. */
const TEMPLATE_LINES = 32;
const TEMPLATE_BYTES = TEMPLATE_LINES * LINE_BYTES;

/** All numbers from 000 to 999 as text. */
const THREE_DIGITS = Buffer.from(
  Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, '0')).join(''),
  'latin1',
);

/** Where the lines to compare with are made; one for all, since nothing is kept in it. */
let scratch = Buffer.alloc(0);

/**
 * The output of one terminal under load: endless lines of {@link LINE_BYTES}, each with its number, a check
 * value that depends on the number and the terminal, and a text that names the terminal. So what stands at
 * each position of the output is known, and each line says by itself where it belongs.
 */
export class LinePattern {
  /** What stands in each line behind the two numbers, UTF-8: printable but for one colour. */
  readonly text: string;
  /** Goes into the check values. */
  readonly key: number;
  readonly #template: Buffer;

  /** @param name Of the terminal; no two under load have the same. At most 64 characters of ASCII. */
  constructor(name: string) {
    this.text = textFor(name);
    this.key = hash(name) % CHECK_PRIME;
    this.#template = Buffer.alloc(TEMPLATE_BYTES, 0x20);
    for (let at = 0; at < TEMPLATE_BYTES; at += LINE_BYTES) {
      this.#template.write(this.text, at + TEXT_AT);
      this.#template.write('\r\n', at + LINE_BYTES - 2);
    }
  }

  /**
   * How many bytes of `bytes`, which were printed at `position`, are right before the first that is not;
   * all of them: `bytes.length`. `position` may lie anywhere in a line, also before the first one: the lines
   * go on in that direction.
   */
  matching(bytes: Uint8Array, position: number): number {
    const first = Math.floor(position / LINE_BYTES);
    const skip = position - first * LINE_BYTES;
    const lines = Math.ceil((skip + bytes.length) / LINE_BYTES);
    this.#print(first, lines);
    if (scratch.compare(bytes, 0, bytes.length, skip, skip + bytes.length) === 0)
      return bytes.length;
    let at = 0;
    while (bytes[at] === scratch[skip + at]) at += 1;
    return at;
  }

  /** Puts into `target` what is printed at `position`. */
  fill(target: Buffer, position: number): void {
    const first = Math.floor(position / LINE_BYTES);
    const skip = position - first * LINE_BYTES;
    this.#print(first, Math.ceil((skip + target.length) / LINE_BYTES));
    scratch.copy(target, 0, skip, skip + target.length);
  }

  /** The lines from number `first` on, in a buffer that is the caller's. */
  lines(first: number, count: number): Buffer {
    this.#print(first, count);
    return Buffer.from(scratch.subarray(0, count * LINE_BYTES));
  }

  /**
   * The number of the whole line that begins at `at` in `bytes`, if it is one of this terminal.
   * @param near A number in whose neighbourhood it is looked for, since numbers come again.
   */
  numberAt(bytes: Uint8Array, at: number, near: number): number | undefined {
    if (at + LINE_BYTES > bytes.length) return undefined;
    let said = 0;
    for (let index = at + NUMBER_AT; index < at + NUMBER_AT + DIGITS; index += 1) {
      const digit = (bytes[index] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) return undefined;
      said = said * 10 + digit;
    }
    const round = Math.round((near - said) / NUMBERS);
    const number = said + round * NUMBERS;
    const line = bytes.subarray(at, at + LINE_BYTES);
    return this.matching(line, number * LINE_BYTES) === LINE_BYTES ? number : undefined;
  }

  #print(first: number, count: number): void {
    const length = count * LINE_BYTES;
    if (scratch.length < length) scratch = Buffer.alloc(Math.max(length, 2 * scratch.length));
    for (let at = 0; at < length; at += TEMPLATE_BYTES)
      this.#template.copy(scratch, at, 0, Math.min(TEMPLATE_BYTES, length - at));
    let number = modulo(first, NUMBERS);
    let check = (number * CHECK_STEP + this.key) % CHECK_PRIME;
    for (let at = 0; at < length; at += LINE_BYTES) {
      writeDigits(number, at + NUMBER_AT);
      writeDigits(check, at + CHECK_AT);
      number += 1;
      check += CHECK_STEP;
      if (check >= CHECK_PRIME) check -= CHECK_PRIME;
      if (number === NUMBERS) {
        number = 0;
        check = this.key;
      }
    }
  }
}

/** Nine digits of `value` into the scratch: three look-ups are several times as fast as a conversion. */
function writeDigits(value: number, at: number): void {
  const upper = Math.floor(value / 1_000_000);
  const rest = value - upper * 1_000_000;
  const middle = Math.floor(rest / 1_000);
  writeThree(upper, at);
  writeThree(middle, at + 3);
  writeThree(rest - middle * 1_000, at + 6);
}

function writeThree(value: number, at: number): void {
  const from = value * 3;
  scratch[at] = THREE_DIGITS[from] ?? 0;
  scratch[at + 1] = THREE_DIGITS[from + 1] ?? 0;
  scratch[at + 2] = THREE_DIGITS[from + 2] ?? 0;
}

/** The name, then what output of real programs has: a colour, and characters of more than one byte. */
function textFor(name: string): string {
  const start = `\x1b[36m${name.slice(0, 64)}\x1b[0m größer → `;
  const filler = 'abcdefghijklmnopqrstuvwxyz 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ '.repeat(2);
  return start + filler.slice(0, TEXT_BYTES - Buffer.byteLength(start));
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
