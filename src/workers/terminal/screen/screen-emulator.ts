import { createRequire } from 'node:module';
import headless, { type ITerminalAddon } from '@xterm/headless';
import { cureEmulator, resizeEmulator, WholeCharacters } from '../../../shared/common/index.js';
import type { TerminalSize } from '../../../shared/common/wire/index.js';
import { CharsetNames } from './charsets.js';
import { Extras } from './extras.js';
import { BG, coreOf, type Core, type Link } from './internals.js';
import { isSerializable, serializeModes, serializePen, serializeScreen } from './serialize.js';

// CommonJS, without names that Node's ESM loader could see.
const { Terminal } = headless;
const require = createRequire(import.meta.url);
// Not by `import`: its types are those of the page's emulator, and bring the DOM's along.
const { Unicode11Addon } = require('@xterm/addon-unicode11') as {
  readonly Unicode11Addon: new () => ITerminalAddon;
};

/** Lines above the screen that a snapshot takes along, since a screen that grows shows them. */
export const LINES_ABOVE = 100;
/** So many bytes at a time that not more lines scroll away than there is room for before they are cut. */
const PIECE_BYTES = 2_048;
/** More links than fit on most screens. */
const MAX_LINKS = 4_096;
/** U+FFFD, which stands for bytes that are no UTF-8. */
const REPLACEMENT = 0xfffd;
const SCROLLBACK = LINES_ABOVE + PIECE_BYTES;

/** The state of a screen at one offset, as bytes for a fresh emulator of its size. */
export interface Snapshot {
  /** All of it. */
  readonly screen: string;
  /**
   * Absent: what comes next depends on what is on the screen. Else plain text, once enough lines of it
   * have come, leads to the same screen from these modes and this pen alone.
   */
  readonly modes?: { readonly sequences: string; readonly pen: string } | undefined;
}

let names: CharsetNames | undefined;

/**
 * A terminal emulator without a display. Everything is synchronous. It never answers and never rings:
 * nobody listens to either. Widths of characters are those of the page.
 */
export class ScreenEmulator {
  readonly #terminal: InstanceType<typeof Terminal>;
  readonly #core: Core;
  readonly #extras: Extras;
  readonly #characters = new WholeCharacters();
  readonly #links = new Map<number, Link>();
  readonly #charsets: CharsetNames;

  constructor(size: TerminalSize) {
    this.#terminal = createTerminal(size);
    this.#core = coreOf(this.#terminal);
    this.#extras = new Extras(this.#terminal);
    this.#rememberLinks();
    this.#charsets = names ??= new CharsetNames((designator) => {
      const { _inputHandler: input, _charsetService: sets } = this.#core;
      input.parse(Buffer.from(`\x1b(${designator}`, 'latin1'));
      const table = sets._charsets[0];
      input.parse(Buffer.from('\x1b(B', 'latin1'));
      return table;
    });
  }

  /** Whether the next byte begins a character or a sequence. */
  get atBoundary(): boolean {
    return this.parserState === 0 && this.#characters.held === 0;
  }

  /** Whether a snapshot of it is exact. */
  get isSerializable(): boolean {
    return isSerializable(this.#core);
  }

  /** Whether the next character may still join the last one, or a REP repeat it. */
  get mayJoin(): boolean {
    return this.#core._inputHandler._parser.precedingJoinState !== 0;
  }

  /** Whether the character that `bytes` begin with does not join the one before it. */
  standsAlone(bytes: Uint8Array): boolean {
    const code = Buffer.from(bytes).toString('utf8').codePointAt(0);
    // What is no character is skipped, and the next one counts.
    if (code === undefined || code === REPLACEMENT) return false;
    return code < 0x20 || this.#core.unicodeService.wcwidth(code) > 0;
  }

  /** State of the emulator's parser: what kind of sequence it is in. */
  get parserState(): number {
    return this.#core._inputHandler._parser.currentState;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const whole = this.#characters.push(bytes.subarray(at, at + PIECE_BYTES));
      this.#core._inputHandler.parse(whole);
      this.#cutLines();
    }
  }

  resize(size: TerminalSize): void {
    resizeEmulator(this.#terminal, size);
    this.#cutLines();
  }

  /** The state now, of at most about `maxBytes`: above it less of the past, then no attributes. */
  snapshot(maxBytes: number): Snapshot {
    const from = {
      core: this.#core,
      extras: this.#extras,
      charsets: this.#charsets,
      links: this.#links,
    };
    const scopes = [{ linesAbove: LINES_ABOVE }, { linesAbove: 0 }, { linesAbove: 0, plain: true }];
    let screen = '';
    for (const scope of scopes) {
      screen = serializeScreen(from, scope);
      if (screen.length <= maxBytes) break;
    }
    if (screen.length > maxBytes) screen = serializeModes(from);
    return {
      screen,
      modes: this.#isSimple()
        ? { sequences: serializeModes(from), pen: serializePen(from) }
        : undefined,
    };
  }

  /** What it answers to `query` as it is now. Empty: nothing. */
  ask(query: string): string {
    let answer = '';
    const listener = this.#terminal.onData((data) => {
      answer += data;
    });
    this.#core._inputHandler.parse(Buffer.from(query, 'latin1'));
    listener.dispose();
    return answer;
  }

  dispose(): void {
    this.#extras.dispose();
    this.#terminal.dispose();
  }

  /**
   * The emulator forgets a link when the lines are gone in which it was opened, which may be long before
   * the text that it ends with.
   */
  #rememberLinks(): void {
    const service = this.#core._oscLinkService;
    const register = service.registerLink.bind(service);
    service.registerLink = (link) => {
      const id = register(link);
      this.#links.delete(id);
      this.#links.set(id, link);
      for (const [oldest] of this.#links) {
        if (this.#links.size <= MAX_LINKS) break;
        this.#links.delete(oldest);
      }
      return id;
    };
  }

  /** Whether line feeds move all of the screen, and plain text nothing but its own line. */
  #isSimple(): boolean {
    const { buffers, rows } = this.#core._bufferService;
    const { _normal: normal, _activeBuffer: active } = buffers;
    const { decPrivateModes: modes } = this.#core.coreService;
    const { bg, extended } = this.#core._inputHandler._curAttrData;
    return (
      active === normal &&
      normal.scrollTop === 0 &&
      normal.scrollBottom === rows - 1 &&
      !modes.reverseWraparound &&
      (bg & BG.protected) === 0 &&
      extended.urlId === 0
    );
  }

  /**
   * Drops what scrolled away, by hand: where the emulator's own bound drops lines, the saved cursor stays
   * at its row, while in an emulator with more room it goes up with the text.
   */
  #cutLines(): void {
    const { _normal: normal } = this.#core._bufferService.buffers;
    const excess = normal.ybase - LINES_ABOVE * 2;
    if (excess <= 0) return;
    normal.lines.trimStart(excess);
    normal.ybase -= excess;
    normal.ydisp = normal.ybase;
    normal.savedY -= excess;
  }
}

function createTerminal({ rows, cols }: TerminalSize): InstanceType<typeof Terminal> {
  const terminal = new Terminal({
    rows,
    cols,
    scrollback: SCROLLBACK,
    allowProposedApi: true,
    logLevel: 'off',
  });
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  cureEmulator(terminal);
  return terminal;
}
