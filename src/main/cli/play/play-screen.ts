import type { WriteStream } from 'node:tty';
import type { PlayerScreen } from '../../../shared/common/recording/index.js';
import { ReplayFilter } from '../../../shared/node/vt/index.js';
import { ScreenModes } from '../attach/index.js';

/** Makes a terminal as good as new without losing the lines that were scrolled away. */
const FRESH = '\x1b[!p\x1b[?6l\x1b[?7h\x1b[r\x1b[m\x1b(B\x0f\x1b[H\x1b[2J';

/**
 * The person's own terminal as the screen of a player. Queries in a recording are left out: the terminal
 * would answer them as if keys had been pressed.
 */
export class PlayScreen implements PlayerScreen {
  readonly #stdout: WriteStream;
  readonly #modes = new ScreenModes();
  readonly #filter = new ReplayFilter();

  constructor(stdout: WriteStream) {
    this.#stdout = stdout;
  }

  async reset(): Promise<void> {
    this.#filter.finish();
    if (!this.#stdout.isTTY) return;
    const undo = this.#modes.undo();
    this.#modes.observe(Buffer.from(undo));
    await this.#put(undo + FRESH);
  }

  async write(data: string | Uint8Array): Promise<void> {
    const bytes = this.#filter.push(typeof data === 'string' ? Buffer.from(data) : data);
    this.#modes.observe(bytes);
    await this.#put(bytes);
  }

  /** A window has the size that its owner gave it. */
  resize(): void {
    // Nothing to be done.
  }

  /** A line of ours at the bottom, until the next `reset`. */
  async say(text: string): Promise<void> {
    if (!this.#stdout.isTTY) return;
    const shown = text.slice(0, Math.max(1, this.#stdout.columns - 1));
    await this.#put(`\x1b[m\x1b[${String(this.#stdout.rows)};1H\x1b[7m${shown}\x1b[27m\x1b[K`);
  }

  /** Undoes what the recording has set, and leaves what it showed. */
  async restore(): Promise<void> {
    if (!this.#stdout.isTTY) return;
    await this.#put(`${this.#modes.undo()}\x1b[r\x1b[m\x1b[${String(this.#stdout.rows)};1H\r\n`);
  }

  #put(data: string | Uint8Array): Promise<void> | undefined {
    if (this.#stdout.write(data)) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        this.#stdout.off('drain', done);
        this.#stdout.off('close', done);
        resolve();
      };
      this.#stdout.once('drain', done);
      // Whoever read it has gone.
      this.#stdout.once('close', done);
    });
  }
}
