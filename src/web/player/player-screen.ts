import { Unicode11Addon } from '@xterm/addon-unicode11';
import { Terminal } from '@xterm/xterm';
import { cureEmulator, resizeEmulator } from '../../shared/common/index.js';
import type { PlayerScreen } from '../../shared/common/recording/index.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';
import { settings } from '../settings/store.js';
import { themeOf } from '../settings/themes.js';

const FONTS = `ui-monospace, 'SF Mono', 'Cascadia Mono', 'JetBrains Mono', Menlo, 'DejaVu Sans Mono', 'Liberation Mono', monospace`;
const LARGEST_FONT = 16;
const SMALLEST_FONT = 4;
/** Written and not drawn yet; beyond it the player waits. */
const AHEAD_BYTES = 256 * 1_024;

/**
 * An emulator of the recording's own size, with letters as large as the place for it allows. Nobody types
 * into it, and what it would answer to queries goes nowhere.
 */
export class TerminalScreen implements PlayerScreen {
  readonly #host: HTMLElement;
  readonly #terminal: Terminal;
  readonly #observer: ResizeObserver;
  #ahead = 0;

  /** `host` is in the document already, since letters are measured there. */
  constructor(host: HTMLElement, size: TerminalSize) {
    this.#host = host;
    this.#terminal = new Terminal({
      ...size,
      allowProposedApi: true,
      cursorBlink: false,
      cursorInactiveStyle: 'block',
      disableStdin: true,
      fontFamily: FONTS,
      fontSize: LARGEST_FONT,
      minimumContrastRatio: 4.5,
      scrollback: 1_000,
      theme: themeOf(settings().theme).colors,
    });
    this.#terminal.loadAddon(new Unicode11Addon());
    this.#terminal.unicode.activeVersion = '11';
    cureEmulator(this.#terminal);
    this.#terminal.open(host);
    // Keys are the player's, not the emulator's.
    this.#terminal.textarea?.setAttribute('tabindex', '-1');
    this.#observer = new ResizeObserver(() => {
      this.#fit();
    });
    this.#observer.observe(host);
  }

  async reset(size: TerminalSize): Promise<void> {
    await this.#drawn();
    this.#terminal.reset();
    this.#setSize(size);
  }

  write(data: string | Uint8Array): Promise<void> | undefined {
    this.#ahead += data.length;
    const mustWait = this.#ahead > AHEAD_BYTES;
    const written = new Promise<void>((resolve) => {
      this.#terminal.write(data, () => {
        this.#ahead -= data.length;
        resolve();
      });
    });
    return mustWait ? written : undefined;
  }

  async resize(size: TerminalSize): Promise<void> {
    await this.#drawn();
    this.#setSize(size);
  }

  dispose(): void {
    this.#observer.disconnect();
    this.#terminal.dispose();
  }

  /** All that was written is on the screen. */
  #drawn(): Promise<void> {
    return new Promise((resolve) => {
      this.#terminal.write('', resolve);
    });
  }

  #setSize(size: TerminalSize): void {
    resizeEmulator(this.#terminal, size);
    this.#fit();
  }

  /** The largest letters with which all cells fit. What does not fit even so can be scrolled to. */
  #fit(): void {
    const screen = this.#terminal.element?.querySelector('.xterm-screen');
    const font = this.#terminal.options.fontSize ?? LARGEST_FONT;
    if (!(screen instanceof HTMLElement) || screen.clientWidth === 0) return;
    const wide = this.#host.clientWidth / screen.clientWidth;
    const high = this.#host.clientHeight / screen.clientHeight;
    const wanted = Math.floor(font * Math.min(wide, high) * 2) / 2;
    const size = Math.min(LARGEST_FONT, Math.max(SMALLEST_FONT, wanted));
    // Only what changes something, since each change is measured anew.
    if (size < font || size >= font + 0.5) this.#terminal.options.fontSize = size;
  }
}
