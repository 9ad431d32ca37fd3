import type { OwnedBytes } from '../byte-channel.js';
import { HoldfastError } from '../errors.js';
import { joinBytes } from '../join-bytes.js';
import { MESSAGE_BYTES } from '../limits.js';

const COUNT = /^[1-9][0-9]{0,5}$/;

/** The text message that goes before `count` messages which are the parts of one. */
export function announceParts(count: number): string {
  return String(count);
}

/** Puts messages together that came in parts; one for each stream. Holds at most MESSAGE_BYTES. */
export class PartJoiner {
  #parts: OwnedBytes[] = [];
  #bytes = 0;
  #missing = 0;

  /**
   * The other end has announced parts.
   * @throws {HoldfastError} ERR_PROTOCOL if that is no number, or parts are missing of what was announced before.
   */
  announce(text: Uint8Array): void {
    const count = String.fromCharCode(...text.subarray(0, 8));
    if (this.#missing > 0 || !COUNT.test(count))
      throw new HoldfastError('ERR_PROTOCOL', 'parts of a message were announced wrongly');
    this.#missing = Number(count);
  }

  /**
   * The message that is whole now: `bytes` itself where no parts were announced. Absent: more parts follow.
   * @throws {HoldfastError} ERR_MESSAGE_TOO_LARGE.
   */
  add(bytes: OwnedBytes): OwnedBytes | undefined {
    if (this.#missing === 0) return bytes;
    this.#bytes += bytes.length;
    if (this.#bytes > MESSAGE_BYTES)
      throw new HoldfastError('ERR_MESSAGE_TOO_LARGE', 'the parts of a message are over the limit');
    this.#parts.push(bytes);
    this.#missing -= 1;
    return this.#missing === 0 ? this.#join() : undefined;
  }

  #join(): OwnedBytes {
    const whole = joinBytes(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return whole;
  }
}
