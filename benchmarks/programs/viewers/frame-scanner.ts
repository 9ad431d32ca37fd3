import type { FramedConnection } from '../../../src/shared/common/framing/index.js';
import { OUTPUT_HEADER_BYTES } from '../../../src/shared/common/wire/index.js';

/** Of a frame of the framed engine: type, length and channel. */
const HEADER_BYTES = 8;
const DATA = 0x03;
/** First byte of an output frame of the terminal protocol. */
const OUTPUT = 0x82;
const PREFIX_BYTES = HEADER_BYTES + OUTPUT_HEADER_BYTES;

/** Who is told of output that was not looked at. */
export interface Counted {
  /** @param length Of the whole message, header included. */
  output(offset: number, nextOffset: number, length: number): void;
}

/** Takes output frames of counted channels out of the stream, and hands on all else. */
export class FrameScanner {
  readonly #framed: Pick<FramedConnection, 'receive'>;
  readonly #counted: ReadonlyMap<number, Counted>;
  /** The beginning of a frame that was cut by the end of a read. */
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixBytes = 0;
  /** Bytes of the present frame that are still to come, and whether they are skipped. */
  #left = 0;
  #skips = false;

  /** @param counted Channels by number; may grow. */
  constructor(framed: Pick<FramedConnection, 'receive'>, counted: ReadonlyMap<number, Counted>) {
    this.#framed = framed;
    this.#counted = counted;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const part = Math.min(this.#left, bytes.length - at);
        if (!this.#skips) this.#framed.receive(bytes.subarray(at, at + part));
        this.#left -= part;
        at += part;
      } else if (this.#prefixBytes === 0 && bytes.length - at >= PREFIX_BYTES) {
        at += this.#begin(bytes, at, bytes.length - at);
      } else {
        at += this.#gather(bytes, at);
      }
    }
  }

  /** Adds to the prefix until it says what the frame is. @returns how many bytes were taken. */
  #gather(bytes: Buffer, at: number): number {
    const wanted =
      this.#prefixBytes < HEADER_BYTES
        ? HEADER_BYTES
        : Math.min(PREFIX_BYTES, HEADER_BYTES + this.#prefix.readUIntBE(1, 3));
    const part = Math.min(wanted - this.#prefixBytes, bytes.length - at);
    bytes.copy(this.#prefix, this.#prefixBytes, at, at + part);
    this.#prefixBytes += part;
    if (this.#prefixBytes < HEADER_BYTES) return part;
    const needed = Math.min(PREFIX_BYTES, HEADER_BYTES + this.#prefix.readUIntBE(1, 3));
    if (this.#prefixBytes >= needed) {
      this.#begin(this.#prefix, 0, this.#prefixBytes);
      this.#prefixBytes = 0;
    }
    return part;
  }

  /**
   * A frame begins at `at`, of which at least the prefix is there.
   * @returns how many bytes were taken: the prefix, or less if the frame is shorter.
   */
  #begin(bytes: Buffer, at: number, available: number): number {
    const length = bytes.readUIntBE(at + 1, 3);
    const taken = Math.min(available, PREFIX_BYTES, HEADER_BYTES + length);
    const viewer = bytes[at] === DATA ? this.#counted.get(bytes.readUInt32BE(at + 4)) : undefined;
    this.#left = HEADER_BYTES + length - taken;
    this.#skips =
      viewer !== undefined && length >= OUTPUT_HEADER_BYTES && bytes[at + HEADER_BYTES] === OUTPUT;
    if (this.#skips) {
      // 2^53 bytes are enough: the upper 11 bits are zero.
      const offset = readU64(bytes, at + HEADER_BYTES + 2);
      viewer?.output(offset, readU64(bytes, at + HEADER_BYTES + 10), length);
    } else {
      this.#framed.receive(bytes.subarray(at, at + taken));
    }
    return taken;
  }
}

function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
