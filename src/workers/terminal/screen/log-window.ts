import { limits } from '../../../shared/common/index.js';

const LF = 0x0a;
const CR = 0x0d;
const STEP_BYTES = 16 * limits.KIB;
/** Larger than this only a ring that has grown needs it, and gives it back. */
const KEPT_BYTES = 128 * limits.KIB;

/** What is read of the log. */
export interface ReadableLog {
  readonly head: number;
  /** Bytes kept for replay. */
  readonly capacity: number;
  copy(from: number, to: number, target: Uint8Array, at: number): void;
}

// One for all terminals of the thread, since each window is done with before the next begins.
let scratch = new Uint8Array(64 * limits.KIB);

/** A stretch of the log from one position on, copied as far as it is looked at. Positions are the log's. */
export class LogWindow {
  readonly from: number;
  readonly #log: ReadableLog;
  #to: number;

  constructor(log: ReadableLog, from: number) {
    this.#log = log;
    this.from = from;
    this.#to = from;
    if (scratch.length > KEPT_BYTES) scratch = new Uint8Array(KEPT_BYTES);
  }

  /** What has been loaded, from the first byte on, and rubbish behind it. */
  get bytes(): Uint8Array {
    return scratch;
  }

  load(to: number): void {
    if (to <= this.#to) return;
    if (to - this.from > scratch.length) {
      const larger = new Uint8Array(Math.max(to - this.from, scratch.length * 2));
      larger.set(scratch.subarray(0, this.#to - this.from));
      scratch = larger;
    }
    this.#log.copy(this.#to, to, scratch, this.#to - this.from);
    this.#to = to;
  }

  /** The bytes before `to` as text, one character each. */
  text(to: number): string {
    this.load(to);
    return Buffer.from(scratch.buffer, 0, to - this.from).toString('latin1');
  }

  /** Last position from `least` to `most` that begins a line, after CR and LF. Absent: there is none. */
  lastLineStart(least: number, most: number): number | undefined {
    this.load(most);
    let at = most - this.from;
    for (;;) {
      const lineFeed = at < 2 ? -1 : scratch.lastIndexOf(LF, at - 1);
      if (lineFeed < 1 || this.from + lineFeed + 1 < least) return undefined;
      if (scratch[lineFeed - 1] === CR) return this.from + lineFeed + 1;
      at = lineFeed;
    }
  }

  /** First such position. */
  firstLineStart(least: number, most: number): number | undefined {
    this.load(most);
    let at = Math.max(1, least - this.from - 1);
    for (;;) {
      const lineFeed = scratch.indexOf(LF, at);
      if (lineFeed < 0 || this.from + lineFeed + 1 > most) return undefined;
      if (scratch[lineFeed - 1] === CR) return this.from + lineFeed + 1;
      at = lineFeed + 1;
    }
  }

  /** Position behind the line feed number `count` from `start` on. Absent: the log has not so many. */
  afterLineFeeds(start: number, count: number): number | undefined {
    let at = start - this.from;
    for (let left = count; left > 0; left -= 1) {
      let lineFeed = this.#lineFeed(at);
      while (lineFeed === undefined) {
        const scanned = this.#to;
        if (scanned >= this.#log.head) return undefined;
        this.load(Math.min(this.#log.head, scanned + STEP_BYTES));
        lineFeed = this.#lineFeed(scanned - this.from);
      }
      at = lineFeed + 1;
    }
    return this.from + at;
  }

  #lineFeed(at: number): number | undefined {
    const found = scratch.indexOf(LF, at);
    return found < 0 || this.from + found >= this.#to ? undefined : found;
  }
}
