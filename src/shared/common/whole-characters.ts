import { joinBytes } from './join-bytes.js';

/**
 * Holds back the beginning of a UTF-8 character that is cut off at the end of a piece, until the rest is
 * there. The emulator's own decoder keeps such beginnings as well, but takes a continuation byte 0x80 for a
 * missing one, and so loses every second dash and quotation mark that is cut after its second byte.
 */
export class WholeCharacters {
  #held: Uint8Array = new Uint8Array();

  /** The number of bytes that wait for the rest of their character. */
  get held(): number {
    return this.#held.length;
  }

  /** What was held back and `bytes`, but for an incomplete character at the end. May be `bytes` itself. */
  push(bytes: Uint8Array): Uint8Array {
    const all = this.#held.length === 0 ? bytes : joinBytes([this.#held, bytes]);
    const end = all.length - incompleteAtEnd(all);
    this.#held = all.slice(end);
    return end === all.length ? all : all.subarray(0, end);
  }
}

/** How many bytes at the end of `bytes` begin a character without ending it. */
function incompleteAtEnd(bytes: Uint8Array): number {
  for (let count = 1; count <= Math.min(3, bytes.length); count += 1) {
    const byte = bytes[bytes.length - count] as number;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf8 ? 4 : 1;
    return length > count ? count : 0;
  }
  return 0;
}
