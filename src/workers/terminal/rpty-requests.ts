import { HoldfastError, limits } from '../../shared/common/index.js';

/** One request of the original protocol. Absent or 0 sizes: no resize. */
export interface RptyRequest {
  readonly data: string;
  readonly rows: number;
  readonly cols: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * Splits the input of an original client: JSON objects one after the other, without any framing, cut
 * into messages anywhere. An object larger than the bound, or anything that is not an object of the
 * expected shape, ends that client only.
 */
export class RptyRequestDecoder {
  #pending: Buffer = Buffer.alloc(0);
  /** Where scanning stopped within `#pending`, and the state there. */
  #at = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** @throws {HoldfastError} ERR_FRAME, ERR_INPUT_OVERRUN. The decoder is not usable after it. */
  feed(bytes: Uint8Array): RptyRequest[] {
    this.#pending =
      this.#pending.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#pending, bytes]);
    const requests: RptyRequest[] = [];
    let start = 0;
    while (this.#at < this.#pending.length) {
      const byte = this.#pending[this.#at] as number;
      this.#at += 1;
      if (!this.#step(byte)) continue;
      requests.push(parseRequest(this.#pending.toString('utf8', start, this.#at)));
      start = this.#at;
    }
    this.#pending = this.#pending.subarray(start);
    this.#at = this.#pending.length;
    if (this.#pending.length > limits.RPTY_UNREAD_BYTES) {
      throw new HoldfastError('ERR_INPUT_OVERRUN', 'a request is larger than the limit');
    }
    return requests;
  }

  /** Whether `byte` completes an object. */
  #step(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return false;
    }
    if (this.#depth === 0) {
      if (byte === OPEN) this.#depth = 1;
      else if (!isSpace(byte)) throw malformed('not a JSON object');
      return false;
    }
    if (byte === QUOTE) this.#inString = true;
    else if (byte === OPEN) this.#depth += 1;
    else if (byte === CLOSE) {
      this.#depth -= 1;
      return this.#depth === 0;
    }
    return false;
  }
}

function parseRequest(text: string): RptyRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('not JSON');
  }
  const { data = '', height = 0, width = 0 } = value as Record<string, unknown>;
  if (typeof data !== 'string') throw malformed('data is not text');
  return { data, rows: cells(height, 'height'), cols: cells(width, 'width') };
}

/** The original's uint16; larger than any real window is taken as the largest we know. */
function cells(value: unknown, what: string): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0xffff) {
    throw malformed(`${what} is not a 16-bit number`);
  }
  return Math.min(value as number, limits.MAX_CELLS);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function malformed(why: string): HoldfastError {
  return new HoldfastError('ERR_FRAME', `request refused: ${why}`);
}
