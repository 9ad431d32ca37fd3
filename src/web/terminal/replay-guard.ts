import type { IDisposable, Terminal } from '@xterm/xterm';
import { WholeCharacters } from '../../shared/common/index.js';

/** A write that the parser has not finished. */
interface Pending {
  readonly isReplay: boolean;
  readonly done: (() => void) | undefined;
}

/**
 * Writes to an emulator so that old output cannot make it answer. A query in a replay (device attributes,
 * cursor position, modes, colours ...) was answered long ago; a second answer would appear as input in
 * the shell. xterm.js parses its writes strictly in order, so the oldest unfinished write is the one whose
 * sequences the hooks see.
 */
export class ReplayGuard {
  readonly #terminal: Terminal;
  readonly #pending: Pending[] = [];
  readonly #hooks: IDisposable[];
  #characters = new WholeCharacters();
  /** The mode that asks for focus reports makes the emulator send one at once. */
  #awaitsFocusReport = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    const { parser } = terminal;
    const swallow = (): boolean => this.#isReplay();
    this.#hooks = [
      parser.registerCsiHandler({ final: 'c' }, swallow),
      parser.registerCsiHandler({ prefix: '>', final: 'c' }, swallow),
      parser.registerCsiHandler({ prefix: '=', final: 'c' }, swallow),
      parser.registerCsiHandler({ final: 'n' }, swallow),
      parser.registerCsiHandler({ prefix: '?', final: 'n' }, swallow),
      parser.registerCsiHandler({ intermediates: '$', final: 'p' }, swallow),
      parser.registerCsiHandler({ prefix: '?', intermediates: '$', final: 'p' }, swallow),
      parser.registerCsiHandler({ prefix: '>', final: 'q' }, swallow),
      parser.registerCsiHandler({ final: 't' }, swallow),
      parser.registerDcsHandler({ intermediates: '$', final: 'q' }, swallow),
      ...[4, 10, 11, 12].map((id) =>
        parser.registerOscHandler(id, (data) => data.includes('?') && this.#isReplay()),
      ),
      parser.registerCsiHandler({ prefix: '?', final: 'h' }, (parameters) => {
        this.#awaitsFocusReport = this.#isReplay() && parameters.includes(1004);
        return false;
      }),
    ];
  }

  /** Writes `data`; `done` is called when it is parsed. */
  write(data: Uint8Array | string, isReplay: boolean, done?: () => void): void {
    this.#pending.push({ isReplay, done });
    // Text of our own comes where output is interrupted, so the rest of a cut character never will.
    if (typeof data === 'string' && data !== '') this.#characters = new WholeCharacters();
    const whole = typeof data === 'string' ? data : this.#characters.push(data);
    this.#terminal.write(whole, () => {
      this.#awaitsFocusReport = false;
      this.#pending.shift()?.done?.();
    });
  }

  /** Calls `then` when everything written so far is parsed. */
  afterWrites(then: () => void): void {
    this.write('', false, then);
  }

  /** Whether the sequence that is being parsed is old: nothing that it asks for may be done again. */
  get isReplay(): boolean {
    return this.#isReplay();
  }

  /** Whether `data`, which the emulator wants to send, is an answer to a replay. */
  isAnswer(data: string): boolean {
    if (!this.#awaitsFocusReport || (data !== '\x1b[I' && data !== '\x1b[O')) return false;
    this.#awaitsFocusReport = false;
    return true;
  }

  dispose(): void {
    for (const hook of this.#hooks) hook.dispose();
  }

  #isReplay(): boolean {
    return this.#pending[0]?.isReplay === true;
  }
}
