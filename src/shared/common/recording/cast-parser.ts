import { HoldfastError } from '../errors.js';
import { joinBytes } from '../join-bytes.js';
import { MAX_CELLS, MIN_CELLS, RECORDING_LINE_BYTES } from '../limits.js';
import { fromBase64Url } from '../peer-auth/index.js';
import type { TerminalSize } from '../wire/index.js';
import { RAW_COMMENT } from './cast-encoder.js';

/** What the first line says, of either version. */
export interface ParsedHeader {
  readonly version: 2 | 3;
  readonly size: TerminalSize;
  readonly title: string;
  /** Unix time in seconds. Absent: not said. */
  readonly timestamp: number | undefined;
  /** Pauses are shortened to this, in ms, says whoever made the recording. Absent: nothing said. */
  readonly idleLimitMs: number | undefined;
}

/** One line of the event stream. */
export interface CastEvent {
  /** `o`, `i`, `r`, `m`, `x`, or a code of a later version. */
  readonly code: string;
  /** From the beginning, in ms. */
  readonly at: number;
  readonly data: string;
  /** Of output whose bytes were not all UTF-8: the bytes themselves. */
  readonly raw?: Uint8Array;
  /** Position in the file behind this line. */
  readonly end: number;
}

const NEWLINE = 0x0a;
const RAW_LINE = /^[A-Za-z0-9_-]*$/;

/**
 * Reads asciicast v2 and v3 in pieces of any length. Strict about what the formats say, and bounded: a
 * line is never longer than RECORDING_LINE_BYTES.
 */
export class CastParser {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #header: ParsedHeader | undefined;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #position: number;
  #at: number;
  #raw: Uint8Array | undefined;

  /**
   * Absent `from`: at the beginning of a file. With it: in the middle, at a line whose position and time
   * an index has told.
   */
  constructor(from?: {
    readonly header: ParsedHeader;
    readonly position: number;
    readonly at: number;
  }) {
    this.#header = from?.header;
    this.#position = from?.position ?? 0;
    this.#at = from?.at ?? 0;
  }

  /** Absent until the first line is complete. */
  get header(): ParsedHeader | undefined {
    return this.#header;
  }

  /** Position behind the last complete line. */
  get position(): number {
    return this.#position;
  }

  /** The events whose lines are complete now. @throws {HoldfastError} ERR_RECORDING_FORMAT. */
  push(bytes: Uint8Array): CastEvent[] {
    const events: CastEvent[] = [];
    let from = 0;
    for (;;) {
      const newline = bytes.indexOf(NEWLINE, from);
      const piece = bytes.subarray(from, newline === -1 ? bytes.length : newline);
      this.#partBytes += piece.length;
      if (this.#partBytes > RECORDING_LINE_BYTES) throw malformed('a line is too long');
      if (newline === -1) {
        if (piece.length > 0) this.#parts.push(new Uint8Array(piece));
        return events;
      }
      const line = this.#takeLine(piece);
      from = newline + 1;
      const event = this.#line(line);
      if (event !== undefined) events.push(event);
    }
  }

  /**
   * The end of the file. A last line without its line break is read if it is whole; what was being
   * written when a process died is passed over.
   */
  finish(): CastEvent[] {
    if (this.#parts.length === 0) return [];
    try {
      const event = this.#line(this.#takeLine(new Uint8Array(0)));
      return event === undefined ? [] : [event];
    } catch (error) {
      if (this.#header === undefined) throw error;
      return [];
    }
  }

  #takeLine(last: Uint8Array): string {
    const line = joinBytes([...this.#parts, last]);
    this.#parts = [];
    this.#partBytes = 0;
    this.#position += line.length + 1;
    try {
      return this.#decoder.decode(line);
    } catch {
      throw malformed('it is not UTF-8');
    }
  }

  #line(line: string): CastEvent | undefined {
    if (this.#header === undefined) {
      this.#header = parseHeader(parseJson(line));
      return undefined;
    }
    if (line.startsWith('#') && this.#header.version === 3) {
      this.#comment(line);
      return undefined;
    }
    if (line.trim() === '') return undefined;
    const value = parseJson(line);
    if (!Array.isArray(value)) throw malformed('an event is no list');
    const [time, code, data] = value as unknown[];
    if (typeof time !== 'number' || !Number.isFinite(time) || time < 0) {
      throw malformed('an event has no time');
    }
    if (typeof code !== 'string' || typeof data !== 'string') {
      throw malformed('an event has no code or no text');
    }
    // Versions differ in this: seconds since the event before, or since the beginning.
    const ms = Math.round(time * 1_000);
    this.#at = this.#header.version === 3 ? this.#at + ms : Math.max(this.#at, ms);
    const raw = this.#raw;
    this.#raw = undefined;
    return {
      code,
      at: this.#at,
      data,
      ...(raw === undefined || code !== 'o' ? {} : { raw }),
      end: this.#position,
    };
  }

  /** A comment means nothing, but for the one that holds the bytes of the next line. */
  #comment(line: string): void {
    if (!line.startsWith(RAW_COMMENT)) return;
    const text = line.slice(RAW_COMMENT.length).trim();
    if (RAW_LINE.test(text)) this.#raw = fromBase64Url(text);
  }
}

/** The size in the data of an `r` event. Absent: it is none. */
export function parseSize(data: string): TerminalSize | undefined {
  const match = /^([0-9]{1,6})x([0-9]{1,6})$/.exec(data);
  if (match === null) return undefined;
  return { cols: clamp(Number(match[1])), rows: clamp(Number(match[2])) };
}

function parseHeader(value: unknown): ParsedHeader {
  const header = record(value);
  const { version } = header;
  if (version !== 2 && version !== 3) {
    throw malformed('it is no asciicast of version 2 or 3');
  }
  const term = version === 3 ? record(header['term']) : header;
  const cols = term[version === 3 ? 'cols' : 'width'];
  const rows = term[version === 3 ? 'rows' : 'height'];
  if (!isCount(cols) || !isCount(rows)) throw malformed('its header has no size');
  const { title, timestamp, idle_time_limit: idle } = header;
  return {
    version,
    size: { cols: clamp(cols), rows: clamp(rows) },
    title: typeof title === 'string' ? title : '',
    timestamp: typeof timestamp === 'number' ? timestamp : undefined,
    idleLimitMs: typeof idle === 'number' && idle > 0 ? idle * 1_000 : undefined,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('a line is no JSON');
  }
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw malformed('its first line is no header');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function clamp(cells: number): number {
  return Math.min(MAX_CELLS, Math.max(MIN_CELLS, cells));
}

function malformed(why: string): HoldfastError {
  return new HoldfastError('ERR_RECORDING_FORMAT', `the recording cannot be read: ${why}`);
}
