import { limits } from '../../../shared/common/index.js';

/** Any packet with its length in front. */
const BUFFER_BYTES = 4 + limits.SFTP_PACKET_BYTES;

/**
 * Buffers for packets, used again: fresh memory of this size costs more in page faults than the copy of what
 * goes into it. As many as are under way at a time, which the caller bounds.
 */
export class SpareBuffers {
  readonly #free: Buffer[] = [];

  /** A buffer of `length` bytes, at most one packet, with anything in it. */
  take(length: number): Buffer {
    return (this.#free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)).subarray(0, length);
  }

  /** Takes back what {@link take} gave, or a part of it; passes over everything else. */
  give(bytes: Buffer): void {
    if (bytes.buffer.byteLength === BUFFER_BYTES) this.#free.push(Buffer.from(bytes.buffer));
  }
}
