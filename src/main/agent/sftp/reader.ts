import { HoldfastError } from '../../../shared/common/index.js';

/**
 * Reads the fields of one packet in order. Strings are views of the packet and stay bytes: a file name
 * is whatever the file system says, and decoding it would lose names that are not UTF-8.
 */
export class FieldReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** @throws {HoldfastError} ERR_PROTOCOL if the packet ends before the field; so do all below. */
  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  /**
   * A 64-bit number. `Infinity` stands for everything beyond 2^53 - 1, which no call of Node takes as
   * an offset or a size; whoever uses it refuses that value.
   */
  u64(): number {
    const at = this.#take(8);
    const high = this.#bytes.readUInt32BE(at);
    if (high > 0x1f_ffff) return Infinity;
    return high * 2 ** 32 + this.#bytes.readUInt32BE(at + 4);
  }

  /** A string: its length as u32, then that many bytes. A view, not a copy. */
  string(): Buffer {
    const length = this.u32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) {
      throw new HoldfastError('ERR_PROTOCOL', 'sftp packet ends before its fields do');
    }
    this.#at = at + length;
    return at;
  }
}
