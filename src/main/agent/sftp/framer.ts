import { HoldfastError, limits } from '../../../shared/common/index.js';

/** Where a session gets its packets. */
export interface PacketSource {
  /**
   * The next whole packet without its length, or undefined until more has come.
   * @throws {HoldfastError} ERR_PROTOCOL for an empty packet, ERR_MESSAGE_TOO_LARGE beyond the cap.
   */
  next(): Buffer | undefined;
}

/** @throws {HoldfastError} as {@link PacketSource.next}. */
export function checkPacketLength(length: number): void {
  if (length === 0) throw new HoldfastError('ERR_PROTOCOL', 'sftp packet of length 0');
  if (length > limits.SFTP_PACKET_BYTES) {
    throw new HoldfastError('ERR_MESSAGE_TOO_LARGE', `sftp packet of ${length} bytes`);
  }
}

/**
 * Cuts a byte stream into packets (u32 length, then that many bytes). Pulled, not pushing: what was not
 * asked for stays in the chunks, so that a chunk with thousands of requests can wait.
 */
export class Framer implements PacketSource {
  /** Chunks not cut yet. The first one is read from `#at`. */
  #chunks: Buffer[] = [];
  #at = 0;
  #buffered = 0;
  /** A packet that did not lie within one chunk, and how much of it is there. */
  #partial: Buffer | undefined;
  #filled = 0;

  /** Bytes that came in and were not handed out. Never more than one packet and one chunk if pulled empty. */
  get buffered(): number {
    return this.#buffered + this.#filled;
  }

  /** Takes ownership of `chunk`; packets are views of it where they lie within it. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
  }

  next(): Buffer | undefined {
    if (this.#partial === undefined) {
      if (this.#buffered < 4) return undefined;
      const length = this.#length();
      const first = this.#chunks[0];
      if (first !== undefined && first.length - this.#at >= length) {
        const packet = first.subarray(this.#at, this.#at + length);
        this.#skip(length);
        return packet;
      }
      // Not from the shared pool: it lives until its request is done, and would pin the slab.
      this.#partial = Buffer.allocUnsafeSlow(length);
      this.#filled = 0;
    }
    return this.#fill(this.#partial);
  }

  #fill(packet: Buffer): Buffer | undefined {
    while (this.#filled < packet.length) {
      const first = this.#chunks[0];
      if (first === undefined) return undefined;
      const count = Math.min(first.length - this.#at, packet.length - this.#filled);
      first.copy(packet, this.#filled, this.#at, this.#at + count);
      this.#filled += count;
      this.#skip(count);
    }
    this.#partial = undefined;
    this.#filled = 0;
    return packet;
  }

  /** Reads the length field, which may lie across chunks. */
  #length(): number {
    let length = 0;
    for (let i = 0; i < 4; i += 1) {
      length = length * 256 + (this.#chunks[0]?.[this.#at] ?? 0);
      this.#skip(1);
    }
    checkPacketLength(length);
    return length;
  }

  #skip(count: number): void {
    this.#at += count;
    this.#buffered -= count;
    const first = this.#chunks[0];
    if (first !== undefined && this.#at >= first.length) {
      this.#chunks.shift();
      this.#at = 0;
    }
  }
}
