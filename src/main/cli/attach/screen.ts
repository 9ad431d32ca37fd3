import type { WriteStream } from 'node:tty';
import { ReplayFilter } from '../../../shared/node/vt/index.js';
import { oneLine } from '../output/index.js';
import { ScreenModes } from './screen-modes.js';
import { Unfinished } from './unfinished.js';

/** Clears the screen and what a program may have set, without touching the lines scrolled away. */
const RESET = '\x1b[!p\x1b[?6l\x1b[r\x1b[m\x1b[H\x1b[2J';

/**
 * The person's own terminal: what the remote one shows, and what Holdfast has to say in between. Owns
 * no mode of it for longer than the attachment.
 */
export class Screen {
  readonly #stdout: WriteStream;
  readonly #modes = new ScreenModes();
  readonly #replay = new ReplayFilter();
  readonly #unfinished = new Unfinished();
  #trouble = false;
  /** To be told before the next output. */
  #skipped: string | undefined;

  constructor(stdout: WriteStream) {
    this.#stdout = stdout;
  }

  /** Whether a message about the connection stands on the screen. */
  get showsTrouble(): boolean {
    return this.#trouble;
  }

  /** Whether a program has the alternate screen. */
  get fullScreen(): boolean {
    return this.#modes.fullScreen;
  }

  /**
   * Shows `bytes`; calls `done` once they have left this process. Of what is quiet without the queries in
   * it: the terminal would answer them, and the answers would be typed into the shell.
   */
  output(bytes: Uint8Array, { quiet }: { readonly quiet: boolean }, done: () => void): void {
    this.#tellSkipped();
    const held = quiet ? undefined : this.#replay.finish();
    if (held !== undefined && held.length > 0) this.#stdout.write(held);
    const shown = quiet ? this.#replay.push(bytes) : bytes;
    this.#modes.observe(shown);
    this.#unfinished.push(shown);
    this.#stdout.write(shown, () => {
      done();
    });
  }

  /** Makes the screen empty, as a fresh emulator's is. */
  reset(): void {
    this.#replay.finish();
    this.#unfinished.clear();
    if (!this.#stdout.isTTY) {
      this.#tellSkipped();
      return;
    }
    const undo = this.#modes.undo();
    this.#modes.observe(Buffer.from(undo));
    this.#stdout.write(undo);
    if (this.#skipped !== undefined) {
      this.#tellSkipped();
      // Both the old screen and the notice become lines above the new one.
      this.#stdout.write(
        `\x1b[r\x1b[${String(this.#stdout.rows)};1H${'\n'.repeat(this.#stdout.rows)}`,
      );
    }
    this.#stdout.write(RESET);
  }

  /**
   * Says something once: a line of its own, or the last line where a program fills the screen. If output has
   * stopped within a sequence or a character, that is begun again behind it, since its rest may still come.
   */
  notice(text: string): void {
    const line = `[holdfast: ${oneLine(text)}]`;
    if (!this.#stdout.isTTY) {
      process.stderr.write(`${line}\n`);
      return;
    }
    const begun = this.#unfinished.bytes;
    // CAN ends a sequence undone.
    if (begun.length > 0) this.#stdout.write('\x18');
    if (this.fullScreen) this.#stdout.write(this.#onLastLine(line));
    else this.#stdout.write(`\r\n\x1b[2m${line}\x1b[22m\r\n`);
    if (begun.length > 0) this.#stdout.write(begun);
  }

  /**
   * Says that output is missing here, before what comes next: above a new screen, so that this does not wipe
   * it away, or in the middle of the output. What was cut off before has no rest.
   */
  skipped(text: string): void {
    this.#replay.finish();
    if (this.#stdout.isTTY && this.#unfinished.bytes.length > 0) this.#stdout.write('\x18');
    this.#unfinished.clear();
    this.#skipped = text;
  }

  #tellSkipped(): void {
    const text = this.#skipped;
    this.#skipped = undefined;
    if (text !== undefined) this.notice(text);
  }

  /** Says that the connection is gone. Repeated calls change nothing until {@link clearTrouble}. */
  trouble(text: string): void {
    if (this.#trouble) return;
    this.#trouble = true;
    this.notice(text);
  }

  clearTrouble(): void {
    if (!this.#trouble) return;
    this.#trouble = false;
    if (!this.fullScreen) this.notice('connected again');
  }

  /** Undoes what the remote programs have set. Resolves when it is written. */
  restore(): Promise<void> {
    this.#tellSkipped();
    const undo = this.#stdout.isTTY ? this.#modes.undo() : '';
    return new Promise((resolve) => {
      this.#stdout.write(undo, () => {
        resolve();
      });
    });
  }

  #onLastLine(line: string): string {
    const rows = String(this.#stdout.rows);
    const text = line.slice(0, Math.max(1, this.#stdout.columns));
    return `\x1b7\x1b[${rows};1H\x1b[7m${text}\x1b[27m\x1b[K\x1b8`;
  }
}
