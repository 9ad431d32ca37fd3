import { isQuery } from '../../../shared/node/vt/index.js';
import { SequenceReader } from './sequence-reader.js';

const ENQ = 0x05;
const CAN = 0x18;
const ESC = 0x1b;
const BACKSLASH = 0x5c;

/**
 * Spoils the queries in a stream without changing its length and without holding anything back: the byte
 * that would end one becomes CAN, which ends it undone (ECMA-48 8.3.15). For viewers whose bytes are counted
 * and that know no `quiet`.
 */
export class QueryMute {
  readonly #reader = new SequenceReader();
  /** The last ESC was spoiled, so the other half of ST must go as well. */
  #dropBackslash = false;

  /** Changes `bytes` in place. */
  apply(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (byte === ENQ) bytes[at] = 0;
      const step = this.#reader.next(byte);
      const isAsking = step.type === 'end' && step.sequence !== undefined && isQuery(step.sequence);
      if (isAsking) bytes[at] = CAN;
      else if (this.#dropBackslash && byte === BACKSLASH) bytes[at] = 0;
      this.#dropBackslash = isAsking && byte === ESC;
    }
  }

  /** Follows bytes that are sent as they are. */
  observe(bytes: Uint8Array): void {
    // Whatever came before, an ESC begins anew; so only what follows the last one decides where this ends.
    const last = bytes.lastIndexOf(ESC);
    for (let at = last === -1 ? this.#reader.textEnd(bytes, 0) : last; at < bytes.length;) {
      this.#reader.next(bytes[at] as number);
      at = this.#reader.textEnd(bytes, at + 1);
    }
    this.#dropBackslash = false;
  }
}
