import { createRequire } from 'node:module';
import headless, { type ITerminalAddon } from '@xterm/headless';
import { cureEmulator, resizeEmulator, WholeCharacters } from '../../src/shared/common/index.js';
import type { TerminalSize } from '../../src/shared/common/wire/index.js';
import { Beside } from './beside.js';
import { insideOf, type Inside, type InsideLink } from './inside.js';
import { screenFacts } from './screen-state.js';

const { Terminal } = headless;
const require = createRequire(import.meta.url);
// Not by `import`: its types bring those of the DOM along.
const { Unicode11Addon } = require('@xterm/addon-unicode11') as {
  readonly Unicode11Addon: new () => ITerminalAddon;
};

/** More lines than any stream has. */
const SCROLLBACK = 20_000;

/** The emulator of a viewer: with the settings of the page, and room for all lines that scroll away. */
export class ViewerEmulator {
  readonly #terminal: InstanceType<typeof Terminal>;
  readonly #inside: Inside;
  readonly #beside: Beside;
  readonly #links = new Map<number, InsideLink>();
  readonly #characters = new WholeCharacters();
  /** What it wanted to send: answers to queries, focus reports. */
  answers = '';
  bells = 0;

  constructor({ rows, cols }: TerminalSize, scrollback = SCROLLBACK) {
    const terminal = new Terminal({
      rows,
      cols,
      scrollback,
      allowProposedApi: true,
      logLevel: 'off',
    });
    terminal.loadAddon(new Unicode11Addon());
    terminal.unicode.activeVersion = '11';
    cureEmulator(terminal);
    terminal.onData((data) => (this.answers += data));
    terminal.onBell(() => (this.bells += 1));
    this.#terminal = terminal;
    this.#inside = insideOf(terminal);
    this.#beside = new Beside(terminal, this.#inside);
    // The emulator forgets links that its cells still name, once the lines are cleared where they began.
    const service = this.#inside._oscLinkService;
    const register = service.registerLink.bind(service);
    service.registerLink = (link) => {
      const id = register(link);
      this.#links.set(id, link);
      return id;
    };
  }

  get size(): TerminalSize {
    return { rows: this.#terminal.rows, cols: this.#terminal.cols };
  }

  write(bytes: Uint8Array): void {
    this.#inside._inputHandler.parse(this.#characters.push(bytes));
  }

  /** What was written before it came. */
  replay(bytes: Uint8Array): void {
    this.write(bytes);
  }

  /** All that was written before it came has been given to it. */
  replayed(): void {
    // Nothing was held back.
  }

  resize(size: TerminalSize): void {
    resizeEmulator(this.#terminal, size);
  }

  /** Whether the next byte begins a character or a sequence. */
  get atBoundary(): boolean {
    return this.#inside._inputHandler._parser.currentState === 0 && this.#characters.held === 0;
  }

  /** The text of the screen, without blanks at the ends of lines. */
  text(): string {
    const { active } = this.#terminal.buffer;
    const lines: string[] = [];
    for (let row = 0; row < this.#terminal.rows; row += 1) {
      lines.push((active.getLine(active.baseY + row)?.translateToString() ?? '').trimEnd());
    }
    return lines.join('\n').trimEnd();
  }

  /** All that a viewer sees or that decides about what it sees next, as one line of text per fact. */
  state(): readonly string[] {
    return [...screenFacts(this.#inside, this.#links), ...this.#beside.facts()];
  }

  dispose(): void {
    this.#terminal.dispose();
  }
}
