import type { Emulator } from '../terminal/emulator.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';

/** After somebody scrolled a larger terminal, so long its cursor is not followed. */
const LOOK_AROUND_MS = 3_000;
/** A difference that is gone by then is not worth a word: the terminal is just following. */
const SETTLE_MS = 400;

export interface PaneSizeOptions {
  readonly host: HTMLElement;
  readonly emulator: Emulator;
  /** Asks for this size. */
  readonly ask: (size: TerminalSize) => void;
  /** The terminal has another size than fits, or does again. */
  readonly mismatch: (isMismatch: boolean) => void;
}

/**
 * The size of a terminal and the room that a pane has for it. When another viewer's size holds, the
 * emulator keeps to that: a smaller one stands in the corner with an edge, a larger one scrolls.
 */
export class PaneSize {
  readonly #options: PaneSizeOptions;
  readonly #endings: (() => void)[] = [];
  #scheduled = 0;
  #asksAgain = false;
  #settling: number | undefined;
  #asked: TerminalSize | undefined;
  #lookedAround = -Infinity;
  #isFollowing = false;

  constructor(options: PaneSizeOptions) {
    this.#options = options;
    const { host, emulator } = options;
    const observer = new ResizeObserver(() => {
      this.schedule();
    });
    observer.observe(host);
    // Not asked for anew: two windows that did would take the size from each other for ever.
    const resized = emulator.terminal.onResize(() => {
      this.schedule();
    });
    const moved = emulator.terminal.onCursorMove(() => {
      this.#follow();
    });
    const onScroll = (): void => {
      if (!this.#isFollowing) this.#lookedAround = performance.now();
      this.#isFollowing = false;
    };
    host.addEventListener('scroll', onScroll);
    this.#endings.push(
      () => {
        cancelAnimationFrame(this.#scheduled);
        clearTimeout(this.#settling);
        observer.disconnect();
        resized.dispose();
        moved.dispose();
      },
      () => {
        host.removeEventListener('scroll', onScroll);
      },
    );
  }

  /** The terminal was attached with this size. */
  asked(size: TerminalSize): void {
    this.#asked = size;
  }

  /** Fits the terminal into the pane, soon. */
  schedule({ again = false } = {}): void {
    this.#asksAgain ||= again;
    cancelAnimationFrame(this.#scheduled);
    this.#scheduled = requestAnimationFrame(() => {
      this.fit({ again: this.#asksAgain });
    });
  }

  /**
   * Asks for the size that fills the pane, if the terminal has not that; it says when it does. Asked once for
   * each size of the pane, else the last viewer to ask has it; with `again` once more.
   */
  fit({ again = false } = {}): void {
    const { emulator, ask } = this.#options;
    const size = emulator.fittingSize();
    if (size === undefined) return;
    this.#asksAgain = false;
    const isMismatch = !isSame(size, emulator.terminal);
    if (isMismatch && (again || !isSame(size, this.#asked))) {
      this.#asked = size;
      ask(size);
    }
    this.#frame(isMismatch);
    clearTimeout(this.#settling);
    if (!isMismatch) this.#options.mismatch(false);
    else {
      this.#settling = window.setTimeout(() => {
        this.#options.mismatch(true);
      }, SETTLE_MS);
    }
  }

  dispose(): void {
    for (const end of this.#endings) end();
  }

  /** Gives the emulator just the room of its screen, so that the edge of the terminal can be seen. */
  #frame(isMismatch: boolean): void {
    const { host, emulator } = this.#options;
    const { element } = emulator.terminal;
    const screen = element?.querySelector<HTMLElement>('.xterm-screen');
    if (element === undefined || screen === null || screen === undefined) return;
    host.classList.toggle('other-size', isMismatch);
    element.style.width = isMismatch ? screen.style.width : '';
    element.style.height = isMismatch ? screen.style.height : '';
    if (isMismatch) this.#follow();
    else host.scrollTo(0, 0);
  }

  /** Keeps the cursor of a terminal that is larger than the pane in view. */
  #follow(): void {
    const { host, emulator } = this.#options;
    if (!host.classList.contains('other-size')) return;
    if (performance.now() - this.#lookedAround < LOOK_AROUND_MS) return;
    const { terminal } = emulator;
    const left = (terminal.buffer.active.cursorX / terminal.cols) * host.scrollWidth;
    const top = ((terminal.buffer.active.cursorY + 1) / terminal.rows) * host.scrollHeight;
    const to = {
      left: left < host.clientWidth ? 0 : left - host.clientWidth / 2,
      top: Math.max(0, top - host.clientHeight),
    };
    if (Math.abs(host.scrollLeft - to.left) < 1 && Math.abs(host.scrollTop - to.top) < 1) return;
    this.#isFollowing = true;
    host.scrollTo(to);
  }
}

function isSame(one: TerminalSize, other: TerminalSize | undefined): boolean {
  return one.rows === other?.rows && one.cols === other.cols;
}
