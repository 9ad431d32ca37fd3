import { toBase64Url } from '../peer-auth/index.js';
import type { TerminalSize } from '../wire/index.js';
import { Utf8Text } from './utf8-text.js';

/** What is known when a recording begins. */
export interface CastHeader {
  readonly size: TerminalSize;
  /** `TERM` of what runs in the terminal. */
  readonly termType: string;
  /** Unix time in seconds. */
  readonly timestamp: number;
  readonly title?: string | undefined;
  /** Holdfast's own attribute, which other tools pass over. */
  readonly holdfast: {
    readonly terminal: string;
    readonly epoch: string;
    /** Log position of the first byte of output. */
    readonly offset: number;
    readonly input: boolean;
  };
}

/** Marks the comment before an output line that holds the bytes which its text could not keep. */
export const RAW_COMMENT = '# holdfast-bytes ';

/** Marks the comment before an output line that the program did not write: a picture of the screen. */
const PICTURE_COMMENT = '# holdfast-picture';

/** Controls, marks that reorder text, and what else does not print, beyond what JSON escapes by itself. */
const NOT_PRINTABLE =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff]/g;

/**
 * Writes asciicast v3 (https://docs.asciinema.org/manual/asciicast/v3/), line by line. Times are whole
 * milliseconds from the beginning, and an interval is the difference of two of them: so the sum of what is
 * written never drifts from the time that passed.
 */
export class CastEncoder {
  readonly #output = new Utf8Text();
  readonly #input = new Utf8Text();
  #at: number;

  /** `at`: where a recording that is taken up again has got to, in ms. */
  constructor(at = 0) {
    this.#at = at;
  }

  /** Time of the last line, in ms from the beginning. */
  get at(): number {
    return this.#at;
  }

  /** Bytes of output that wait for the rest of their character, and are in no line yet. */
  get heldBytes(): number {
    return this.#output.held;
  }

  header({ size, termType, timestamp, title, holdfast }: CastHeader): string {
    const header = {
      version: 3,
      term: { cols: size.cols, rows: size.rows, type: termType },
      timestamp,
      ...(title === undefined || title === '' ? {} : { title }),
      holdfast,
    };
    return `${escapeText(JSON.stringify(header))}\n`;
  }

  /** The lines of `bytes` of output at `at`. Empty: the first character of them is not complete. */
  output(at: number, bytes: Uint8Array): string {
    return this.#outputLines(at, this.#output.push(bytes));
  }

  /**
   * A picture of the screen in place of output that is missing: bytes for a fresh emulator. A comment
   * before it says that the program did not write it.
   */
  picture(at: number, bytes: Uint8Array): string {
    const text = new TextDecoder().decode(bytes);
    return this.outputBreak(at) + `${PICTURE_COMMENT}\n` + this.#line(at, 'o', `\x1bc${text}`);
  }

  /** The output has a hole here, or ends: what is held of a character stays as it is. */
  outputBreak(at: number): string {
    return this.#outputLines(at, this.#output.finish());
  }

  input(at: number, bytes: Uint8Array): string {
    const piece = this.#input.push(bytes);
    return piece === undefined ? '' : this.#line(at, 'i', piece.text);
  }

  resize(at: number, { rows, cols }: TerminalSize): string {
    return this.#line(at, 'r', `${String(cols)}x${String(rows)}`);
  }

  marker(at: number, label: string): string {
    return this.#line(at, 'm', label);
  }

  /** `status` as a shell would show it: 128 and the number of a signal that ended the program. */
  exit(at: number, status: number): string {
    return this.#line(at, 'x', String(status));
  }

  #outputLines(at: number, piece: ReturnType<Utf8Text['push']>): string {
    if (piece === undefined) return '';
    const raw = piece.raw === undefined ? '' : `${RAW_COMMENT}${toBase64Url(piece.raw)}\n`;
    return raw + this.#line(at, 'o', piece.text);
  }

  #line(at: number, code: string, data: string): string {
    // Never back: clocks of two threads may differ by less than one of these.
    const now = Math.max(this.#at, Math.round(at));
    const interval = ((now - this.#at) / 1_000).toFixed(3);
    this.#at = now;
    return `[${interval}, "${code}", ${escapeText(JSON.stringify(data))}]\n`;
  }
}

function escapeText(json: string): string {
  return json.replace(
    NOT_PRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
