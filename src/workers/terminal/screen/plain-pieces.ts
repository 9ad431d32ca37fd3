import { limits } from '../../../shared/common/index.js';
import { isIdle, PlainScanner } from './plain-text.js';

const LF = 0x0a;
/** A piece has about so much: a trickle does not make thousands, and a flood is told in parts. */
const PIECE_BYTES = 8 * limits.KIB;
/** Of the line feeds that are asked for, the share that is counted in each piece of a flood: a few have enough. */
const FLOOD_SHARE = 1 / 4;

/** A stretch of the log, as far as it matters to whether a screen can begin in it. */
interface Piece {
  readonly from: number;
  to: number;
  /** It does no more than write lines; see {@link PlainScanner}. */
  isPlain: boolean;
  /** It does nothing at all. */
  isIdle: boolean;
  hasEscapes: boolean;
  /** Line feeds in it, at least so many. */
  lineFeeds: number;
}

/**
 * What is known of the log from the checkpoint of its screen on, looked at once: when it is appended, while it is in
 * the processor's caches. The searches are native where they can be.
 */
export class PlainPieces {
  readonly #scanner = new PlainScanner();
  readonly #pieces: Piece[] = [];
  #head: number;

  /** `head`: where the log ends; of what comes before nothing is known. */
  constructor(head: number) {
    this.#head = head;
  }

  /** `bytes` come next in the log. `lineFeeds`: what {@link isPlainBeyond} will be asked for. */
  appended(bytes: Uint8Array, lineFeeds: number): void {
    // A Buffer searches by itself; a typed array over shared memory looks at each byte through V8.
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const isFlood = view.length > PIECE_BYTES;
    const enough = isFlood ? Math.ceil(lineFeeds * FLOOD_SHARE) : lineFeeds;
    for (let at = 0; at < view.length; at += PIECE_BYTES) {
      const part = view.subarray(at, at + PIECE_BYTES);
      const isPlain = this.#scanner.isPlain(part);
      const piece = this.#pieceFor(part.length);
      piece.to += part.length;
      piece.isPlain &&= isPlain;
      piece.isIdle &&= isPlain && isIdle(part);
      piece.hasEscapes ||= this.#scanner.sawEscape;
      if (piece.isPlain && !piece.isIdle) piece.lineFeeds += countLineFeeds(part, enough);
      this.#head += part.length;
    }
  }

  /** Nothing before `offset` is asked for any more. */
  forget(offset: number): void {
    let done = 0;
    while ((this.#pieces[done]?.to ?? Infinity) <= offset) done += 1;
    if (done > 0) this.#pieces.splice(0, done);
  }

  /** Log position up to which nothing from `from` on does anything: as far as is known. */
  idleUntil(from: number): number {
    let end = from;
    for (const piece of this.#known(from)) {
      if (!piece.isIdle) break;
      end = piece.to;
    }
    return end;
  }

  /**
   * Whether there is nothing but plain text from `from` to `start`, and on from there until `lineFeeds` line feeds
   * have come, as far as is known. `count` looks at a stretch of the log, which costs more than what is known.
   */
  isPlainBeyond(
    from: number,
    start: number,
    lineFeeds: number,
    count: (from: number, to: number) => number,
  ): boolean {
    let followed = 0;
    let rest = start;
    for (const piece of this.#known(from)) {
      if (!piece.isPlain) break;
      if (piece.from >= start) followed += piece.lineFeeds;
      else rest = piece.to;
      if (followed >= lineFeeds) return true;
    }
    return rest > start && followed + count(start, rest) >= lineFeeds;
  }

  /** Whether there is no escape sequence from `from` to `to`, as far as is known. */
  isBare(from: number, to: number): boolean {
    let end = from;
    for (const piece of this.#known(from)) {
      if (end >= to || piece.hasEscapes) break;
      end = piece.to;
    }
    return end >= to;
  }

  /** Pieces from the one that holds `from` on; none if `from` is not known. */
  *#known(from: number): Generator<Piece> {
    if ((this.#pieces[0]?.from ?? Infinity) > from) return;
    for (const piece of this.#pieces) if (piece.to > from) yield piece;
  }

  #pieceFor(bytes: number): Piece {
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.to - last.from + bytes <= PIECE_BYTES) return last;
    const piece: Piece = {
      from: this.#head,
      to: this.#head,
      isPlain: true,
      isIdle: true,
      hasEscapes: false,
      lineFeeds: 0,
    };
    this.#pieces.push(piece);
    return piece;
  }
}

/** Line feeds in `view`; not more than `enough` are counted. */
export function countLineFeeds(view: Buffer, enough: number): number {
  let found = 0;
  for (let at = view.indexOf(LF); at !== -1 && found < enough; at = view.indexOf(LF, at + 1)) {
    found += 1;
  }
  return found;
}
