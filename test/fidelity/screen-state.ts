import { createRequire } from 'node:module';
import headless, { type ITerminalAddon } from '@xterm/headless';
import { WholeCharacters } from '../../src/shared/common/index.js';
import type { TerminalSize } from '../../src/shared/common/wire/index.js';

const { Terminal } = headless;
const require = createRequire(import.meta.url);
// Not by `import`: its types bring those of the DOM along.
const { Unicode11Addon } = require('@xterm/addon-unicode11') as {
  readonly Unicode11Addon: new () => ITerminalAddon;
};

/** What is compared is read straight from the emulator's inside, independently of the code under test. */
/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access,
   @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call,
   @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return */

/** The emulator of a viewer: with the settings of the page, and room for all lines that scroll away. */
export class ViewerEmulator {
  readonly terminal: InstanceType<typeof Terminal>;
  readonly #core: any;
  readonly #links = new Map<number, any>();
  readonly #characters = new WholeCharacters();
  /** What it wanted to send: answers to queries, focus reports. */
  answers = '';
  bells = 0;

  constructor({ rows, cols }: TerminalSize) {
    this.terminal = new Terminal({
      rows,
      cols,
      scrollback: 20_000,
      allowProposedApi: true,
      logLevel: 'off',
    });
    this.terminal.loadAddon(new Unicode11Addon());
    this.terminal.unicode.activeVersion = '11';
    this.terminal.onData((data) => (this.answers += data));
    this.terminal.onBell(() => (this.bells += 1));
    this.#core = (this.terminal as any)._core;
    // The emulator forgets links that its cells still name, once the lines are cleared where they began.
    const service = this.#core._oscLinkService;
    const register = service.registerLink.bind(service);
    service.registerLink = (link: any) => {
      const id = register(link);
      this.#links.set(id, link);
      return id;
    };
  }

  write(bytes: Uint8Array): void {
    this.#core._inputHandler.parse(this.#characters.push(bytes));
  }

  resize({ rows, cols }: TerminalSize): void {
    this.terminal.resize(cols, rows);
  }

  dispose(): void {
    this.terminal.dispose();
  }

  /** All that a viewer sees or that decides about what it sees next, as one line of text per fact. */
  state(): string[] {
    const core = this.#core;
    const { _bufferService: service, coreService, _charsetService: charsets } = core;
    const { _normal: normal, _alt: alternate, _activeBuffer: active } = service.buffers;
    const input = core._inputHandler;
    const facts: string[] = [];
    const fact = (name: string, value: unknown): void => {
      facts.push(`${name}: ${JSON.stringify(value)}`);
    };
    fact('size', [service.rows, service.cols]);
    fact('active', active === normal ? 'normal' : 'alternate');
    for (const [name, buffer] of [
      ['normal', normal],
      ...(active === alternate ? [['alternate', alternate]] : []),
    ] as const) {
      const top: number = buffer.ybase;
      for (let row = 0; row < service.rows; row += 1) {
        const line = buffer.lines.get(top + row);
        fact(`${name} ${String(row)} wrapped`, line.isWrapped);
        facts.push(`${name} ${String(row)}: ${this.#line(line)}`);
      }
      fact(`${name} margins`, [buffer.scrollTop, buffer.scrollBottom]);
      const stops = [...Array(service.cols).keys()].filter((x) => buffer.tabs[x] === true);
      fact(`${name} tabs`, stops);
      fact(`${name} saved`, {
        x: Math.min(buffer.savedX, service.cols - 1),
        y: Math.min(service.rows - 1, Math.max(0, buffer.savedY - buffer.ybase)),
        fg: foreground(buffer.savedCurAttrData.fg),
        bg: background(buffer.savedCurAttrData.bg),
        charset: buffer.savedCharset,
      });
    }
    fact('cursor', [active.x, active.y]);
    fact('pen', this.#attributes(input._curAttrData));
    fact('modes', { ...coreService.decPrivateModes, ...coreService.modes });
    fact('newline', core.optionsService.rawOptions.convertEol);
    fact('hidden', coreService.isCursorHidden);
    fact('mouse', [core.coreMouseService.activeProtocol, core.coreMouseService.activeEncoding]);
    fact('charset', [
      charsets.charset,
      charsets.glevel,
      [0, 1, 2, 3].map((g) => charsets._charsets[g]),
    ]);
    fact('title', [input._windowTitle, input._iconName]);
    fact('parser', input._parser.currentState);
    fact('joins', input._parser.precedingJoinState !== 0);
    return facts;
  }

  #line(line: any): string {
    let out = '';
    let last = '';
    for (let x = 0; x < line.length; x += 1) {
      const width = line.getWidth(x);
      const attributes = this.#attributes({
        fg: line._data[3 * x + 1],
        bg: line._data[3 * x + 2],
        extended: line._extendedAttrs[x],
      });
      if (attributes !== last) out += `{${attributes}}`;
      last = attributes;
      const text: string = line.getString(x);
      out += text === '' ? (width === 0 ? '<' : '~') : text;
      if (width !== 1 && text !== '') out += String(width);
    }
    return out;
  }

  #attributes({ fg, bg, extended }: any): string {
    let out = `${foreground(fg)} ${background(bg)}`;
    if ((bg & 0x10000000) !== 0 && extended !== undefined) {
      const link = this.#links.get(extended.urlId);
      // A link is drawn in its own way, whatever the underline.
      const own = (extended._ext >>> 26) & 7 || ((fg & 0x10000000) === 0 ? 0 : 1);
      const style = link === undefined ? own : 5;
      const mode = (extended._ext >>> 24) & 3;
      const color =
        style === 0 || mode === 0
          ? 0
          : mode === 3
            ? extended._ext & 0x3ffffff
            : extended._ext & 0x30000ff;
      out += ` u${String(style)} ${color.toString(16)} ${link?.uri ?? ''} ${link?.id ?? ''}`;
    } else if ((fg & 0x10000000) !== 0) {
      out += ' u1 0  ';
    }
    return out === '0 0' ? '' : out;
  }
}

function foreground(word: number): string {
  return (((word & 0xfc000000) | color(word)) >>> 0).toString(16);
}

/** Without the flag that says whether there are extended attributes, which are compared themselves. */
function background(word: number): string {
  return (((word & 0xec000000) | color(word)) >>> 0).toString(16);
}

/** Bits beyond those of the mode are left over from a colour of another mode, and mean nothing. */
function color(word: number): number {
  const mode = word & 0x3000000;
  if (mode === 0) return 0;
  return mode === 0x3000000 ? word & 0x3ffffff : word & 0x30000ff;
}
