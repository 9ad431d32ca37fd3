import { limits } from '../../../shared/common/index.js';
import { checkPacketLength, type PacketSource } from './framer.js';

const LENGTH_BYTES = 4;
/** The largest packet with its length. */
const WHOLE_BYTES = LENGTH_BYTES + limits.SFTP_PACKET_BYTES;

/**
 * Cuts packets out of the memory that they are read into, where they lie, so that what a client sends is copied
 * once: by the kernel. Whoever reads asks for {@link space}, says what was {@link added}, and asks anew for the next
 * read. A packet is valid until then.
 */
export class InPlaceFramer implements PacketSource {
  #bytes: Buffer;
  /** What lies between them was read and not handed out. */
  #start = 0;
  #end = 0;

  /** `capacity` bounds what is read ahead of the packets that are taken, but for one packet. */
  constructor(capacity: number = limits.SFTP_INPUT_BYTES) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** Where to read to; never empty. What was handed out before is not valid any more. */
  space(): Buffer {
    const rest = this.#bytes.subarray(this.#start, this.#end);
    const isFull = this.#end === this.#bytes.length;
    if (isFull || rest.length === 0 || this.#bytes.length - this.#start < WHOLE_BYTES) {
      // So much is read and not taken only where taking has stopped, and then reading does too.
      if (rest.length > this.#bytes.length - WHOLE_BYTES) {
        this.#bytes = Buffer.allocUnsafeSlow(this.#bytes.length + WHOLE_BYTES);
      }
      rest.copy(this.#bytes);
      this.#start = 0;
      this.#end = rest.length;
    }
    return this.#bytes.subarray(this.#end);
  }

  /** `count` bytes were read into the space. */
  added(count: number): void {
    this.#end += count;
  }

  next(): Buffer | undefined {
    if (this.#end - this.#start < LENGTH_BYTES) return undefined;
    const length = this.#bytes.readUInt32BE(this.#start);
    checkPacketLength(length);
    const from = this.#start + LENGTH_BYTES;
    if (this.#end - from < length) return undefined;
    this.#start = from + length;
    return this.#bytes.subarray(from, from + length);
  }
}
