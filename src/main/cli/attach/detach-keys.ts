import { ESCAPES, type Escape } from './escapes.js';

/** What typed bytes come to. */
export interface KeyOutcome {
  /** To send on. May be empty. */
  readonly bytes: Uint8Array;
  /** The person asked to leave; what was typed after it is dropped. */
  readonly detach: boolean;
  /** Other escapes among them, in their order. */
  readonly escapes: readonly Escape[];
}

export interface DetachKeysOptions {
  /** Whether `Ctrl-\` twice leaves as well as `~.`. */
  readonly quitTwice: boolean;
  /** Whether `~` at the start of a line begins one of {@link ESCAPES} as well. */
  readonly escapes?: boolean;
}

const CTRL_BACKSLASH = 0x1c;
const TILDE = 0x7e;
const DOT = 0x2e;
const CR = 0x0d;
const LF = 0x0a;
const ESCAPE_OF = new Map<number, Escape>(ESCAPES.map((name) => [name.charCodeAt(0), name]));

/**
 * Watches typed bytes for the ways to leave: `~.` at the start of a line, as ssh has it, and `Ctrl-\`
 * twice in a row. A first `Ctrl-\` or `~` is held back until the next byte shows what it is, so that the
 * remote side sees nothing of a detach; `~~` sends one tilde. Holds at most one byte. The line starts
 * anew after CR or LF, and at the very beginning.
 */
export class DetachKeys {
  readonly #quitTwice: boolean;
  readonly #escapes: boolean;
  #lineStart = true;
  #held: typeof CTRL_BACKSLASH | typeof TILDE | undefined;

  constructor({ quitTwice, escapes = false }: DetachKeysOptions) {
    this.#quitTwice = quitTwice;
    this.#escapes = escapes;
  }

  /** Whether a byte is held back. */
  get holding(): boolean {
    return this.#held !== undefined;
  }

  /** What `input` comes to. */
  push(input: Uint8Array): KeyOutcome {
    const out: number[] = [];
    const escapes: Escape[] = [];
    for (const byte of input) {
      const held = this.#held;
      this.#held = undefined;
      if (held === CTRL_BACKSLASH) {
        if (byte === CTRL_BACKSLASH) return { bytes: Uint8Array.from(out), detach: true, escapes };
        this.#send(out, held);
      } else if (held === TILDE) {
        if (byte === DOT) return { bytes: Uint8Array.from(out), detach: true, escapes };
        const escape = this.#escapes ? ESCAPE_OF.get(byte) : undefined;
        if (escape !== undefined) {
          // The remote side sees nothing of it, so its line still begins here.
          escapes.push(escape);
          continue;
        }
        this.#send(out, held);
        // The second tilde of `~~` only said that the first was meant.
        if (byte === TILDE) continue;
      }
      if (byte === CTRL_BACKSLASH && this.#quitTwice) this.#held = CTRL_BACKSLASH;
      else if (byte === TILDE && this.#lineStart) this.#held = TILDE;
      else this.#send(out, byte);
    }
    return { bytes: Uint8Array.from(out), detach: false, escapes };
  }

  /** Gives up the held byte: the person paused, so it was meant for the remote side. */
  flush(): Uint8Array {
    const out: number[] = [];
    // A tilde waits as long as it takes, as in ssh; only Ctrl-\ is a key that programs wait for.
    if (this.#held === CTRL_BACKSLASH) {
      this.#held = undefined;
      this.#send(out, CTRL_BACKSLASH);
    }
    return Uint8Array.from(out);
  }

  #send(out: number[], byte: number): void {
    out.push(byte);
    this.#lineStart = byte === CR || byte === LF;
  }
}
