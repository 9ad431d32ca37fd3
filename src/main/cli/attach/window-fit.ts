import type { WriteStream } from 'node:tty';
import type { TerminalSize } from '../../../shared/common/wire/index.js';
import { sizeOf } from '../raw-terminal.js';

/** A size that we asked for takes this long to come back; until then the two differ for no reason. */
const SETTLE_MS = 400;

/**
 * What makes a window of another size than its terminal show the top left of it with the least harm, by
 * nothing but modes that every emulator has: a region to scroll in where the window is taller, and no
 * wrapping of lines where it is narrower, so that they are cut off instead of scrolling the screen.
 * `before` is what was written last; the result is empty if it is still right.
 */
export function fitSequence(terminal: TerminalSize, window: TerminalSize, before: Fit): Change {
  const fit: Fit = {
    region: window.rows > terminal.rows ? terminal.rows : undefined,
    cut: window.cols < terminal.cols,
  };
  let sequence = '';
  if (fit.region !== before.region) {
    // Setting a region moves the cursor home, hence the saving.
    sequence +=
      fit.region === undefined ? '\x1b7\x1b[r\x1b8' : `\x1b7\x1b[1;${String(fit.region)}r\x1b8`;
  }
  if (fit.cut !== before.cut) sequence += fit.cut ? '\x1b[?7l' : '\x1b[?7h';
  return { fit, sequence };
}

/** Modes of the person's terminal that are set for the difference in size. */
export interface Fit {
  /** Last row of the region that scrolls. Absent: the whole window. */
  readonly region: number | undefined;
  /** Lines that are too long are cut off. */
  readonly cut: boolean;
}

interface Change {
  readonly fit: Fit;
  readonly sequence: string;
}

const NONE: Fit = { region: undefined, cut: false };

export interface WindowFitOptions {
  readonly stdout: WriteStream;
  /** Says it to the person. */
  notice(text: string): void;
  /** Whose size the terminal has. Absent: nobody's, or not known. */
  owner(): string | undefined;
}

/** Keeps the window of the person in step with the size of a terminal that somebody else may decide. */
export class WindowFit {
  readonly #options: WindowFitOptions;
  #terminal: TerminalSize | undefined;
  #fit: Fit = NONE;
  #told = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WindowFitOptions) {
    this.#options = options;
  }

  /** The terminal has this size now. */
  terminalChanged(size: TerminalSize): void {
    this.#terminal = size;
    this.windowChanged();
  }

  /** Looks again once what was asked for has had time to come about. */
  windowChanged(): void {
    if (!this.#options.stdout.isTTY) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#apply();
    }, SETTLE_MS);
  }

  /** The screen was reset, and the modes with it. */
  reset(): void {
    this.#fit = NONE;
    this.windowChanged();
  }

  /** Undoes what is set. */
  stop(): void {
    clearTimeout(this.#timer);
    if (this.#terminal === undefined) return;
    const window = sizeOf(this.#options.stdout);
    const { sequence } = fitSequence(window, window, this.#fit);
    this.#fit = NONE;
    if (sequence !== '') this.#options.stdout.write(sequence);
  }

  #apply(): void {
    const terminal = this.#terminal;
    if (terminal === undefined) return;
    const window = sizeOf(this.#options.stdout);
    const { fit, sequence } = fitSequence(terminal, window, this.#fit);
    this.#fit = fit;
    if (sequence !== '') this.#options.stdout.write(sequence);
    const text = describeMisfit(terminal, window, this.#options.owner());
    if (text !== '' && text !== this.#told) this.#options.notice(text);
    this.#told = text;
  }
}

/** What a person should know of the difference. Empty: there is none. */
function describeMisfit(
  terminal: TerminalSize,
  window: TerminalSize,
  owner: string | undefined,
): string {
  if (terminal.rows === window.rows && terminal.cols === window.cols) return '';
  const size = ({ rows, cols }: TerminalSize): string => `${String(cols)}x${String(rows)}`;
  const whose = owner === undefined ? '' : ` for ${owner}`;
  const cutOff =
    terminal.rows > window.rows || terminal.cols > window.cols
      ? ', so part of it is not shown; enlarge the window, or attach with --size mine'
      : '';
  return `the terminal is ${size(terminal)}${whose}, this window ${size(window)}${cutOff}`;
}
