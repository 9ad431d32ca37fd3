/**
 * Modes that full-screen programs switch on and that a shell's line editor does not expect: what to
 * send to undo each. Alternate screens come last, so that the cursor they restore is the final one.
 */
const UNDO: ReadonlyMap<number, string> = new Map([
  [1, '\x1b[?1l'],
  [9, '\x1b[?9l'],
  [25, '\x1b[?25h'],
  [1000, '\x1b[?1000l'],
  [1002, '\x1b[?1002l'],
  [1003, '\x1b[?1003l'],
  [1004, '\x1b[?1004l'],
  [1005, '\x1b[?1005l'],
  [1006, '\x1b[?1006l'],
  [1015, '\x1b[?1015l'],
  [2004, '\x1b[?2004l'],
  [47, '\x1b[?47l'],
  [1047, '\x1b[?1047l'],
  [1049, '\x1b[?1049l'],
]);

/** A private mode that is on when it is reset, the cursor, rather than set. */
const CURSOR_VISIBLE = 25;

const ALTERNATE_SCREENS = [47, 1047, 1049];

/** Longest part of a sequence that is kept between chunks. */
const MAX_TAIL = 64;

/**
 * Watches output for the private modes it sets (DECSET and DECRST), so that leaving in the middle of a
 * full-screen program can undo exactly those. Undoing blindly is no way out: leaving an alternate
 * screen that was never entered moves the cursor.
 */
export class ScreenModes {
  readonly #changed = new Set<number>();
  #keypad = false;
  #tail = '';

  /** Whether a program has the alternate screen. */
  get fullScreen(): boolean {
    return ALTERNATE_SCREENS.some((mode) => this.#changed.has(mode));
  }

  /** Takes in output on its way to the screen. */
  observe(bytes: Uint8Array): void {
    const text = this.#tail + Buffer.from(bytes).toString('latin1');

    for (const [sequence, list, final] of text.matchAll(/\x1b(?:\[\?([0-9;]+)([hl])|[=>c])/g)) {
      if (sequence === '\x1bc') {
        this.#changed.clear();
        this.#keypad = false;
      } else if (list === undefined) {
        this.#keypad = sequence === '\x1b=';
      } else {
        for (const number of list.split(';')) this.#set(Number(number), final === 'h');
      }
    }
    const escape = text.lastIndexOf('\x1b');

    const open = escape !== -1 && /^\x1b(\[(\?[0-9;]*)?)?$/.test(text.slice(escape));
    this.#tail = open ? text.slice(escape, escape + MAX_TAIL) : '';
  }

  /** What to write so that the terminal is as a shell expects it. Empty: nothing was changed. */
  undo(): string {
    let text = this.#keypad ? '\x1b>' : '';
    for (const [mode, sequence] of UNDO) if (this.#changed.has(mode)) text += sequence;
    return text;
  }

  #set(mode: number, on: boolean): void {
    if (!UNDO.has(mode)) return;
    if (on === (mode !== CURSOR_VISIBLE)) this.#changed.add(mode);
    else this.#changed.delete(mode);
  }
}
