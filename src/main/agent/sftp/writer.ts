/** Builds one packet with its length in front. The buffer grows as needed and is handed over by `end`. */
export class FieldWriter {
  #bytes: Buffer;
  #at = 4;

  /** `sizeHint`: bytes that the packet will probably have; only speed depends on it. */
  constructor(type: number, sizeHint = 64) {
    this.#bytes = Buffer.allocUnsafe(Math.max(sizeHint, 8));
    this.u8(type);
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#bytes.writeUInt8(value, at);
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#bytes.writeUInt32BE(value, at);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#grow(8);
    this.#bytes.writeBigUInt64BE(value, at);
    return this;
  }

  /** A string: its length as u32, then its bytes. Text goes out as UTF-8. */
  string(value: Buffer | string): this {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    this.u32(bytes.length);
    return this.raw(bytes);
  }

  /** Bytes as they are, with no length in front. */
  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** The finished packet. Nothing may be written after. */
  end(): Buffer {
    this.#bytes.writeUInt32BE(this.#at - 4, 0);
    return this.#bytes.subarray(0, this.#at);
  }

  /** Makes room and returns where it is. Call it first: it may replace the buffer. */
  #grow(length: number): number {
    const at = this.#at;
    const needed = at + length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#at = needed;
    return at;
  }
}
