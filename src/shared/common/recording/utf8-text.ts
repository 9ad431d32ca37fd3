import { joinBytes } from '../join-bytes.js';

/** Output as text. */
export interface TextPiece {
  readonly text: string;
  /** The exact bytes, where `text` could not keep them: something in them was not UTF-8. */
  readonly raw?: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/**
 * Bytes as they come from a PTY, into text: a character that was cut in two by a read is joined, and bytes
 * that are no UTF-8 become U+FFFD, beside which the raw bytes are handed out as well.
 */
export class Utf8Text {
  readonly #strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #lenient = new TextDecoder('utf-8', { ignoreBOM: true });
  #held: Uint8Array = NOTHING;

  /** Bytes that wait for the rest of their character, 0 to 3. */
  get held(): number {
    return this.#held.length;
  }

  /** The text of all bytes so far that was not handed out. Absent: no character is complete. */
  push(bytes: Uint8Array): TextPiece | undefined {
    const all = this.#held.length === 0 ? bytes : joinBytes([this.#held, bytes]);
    const complete = all.length - openTail(all);
    this.#held = complete === all.length ? NOTHING : all.slice(complete);
    return this.#decode(all.subarray(0, complete));
  }

  /** What is held turned out never to be completed. */
  finish(): TextPiece | undefined {
    const rest = this.#held;
    this.#held = NOTHING;
    return this.#decode(rest);
  }

  #decode(bytes: Uint8Array): TextPiece | undefined {
    if (bytes.length === 0) return undefined;
    try {
      return { text: this.#strict.decode(bytes) };
    } catch {
      return { text: this.#lenient.decode(bytes), raw: new Uint8Array(bytes) };
    }
  }
}

/** How many bytes at the end are the beginning of a character whose rest may follow. */
function openTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
    return byte <= 0xf4 && length > back ? back : 0;
  }
  return 0;
}
