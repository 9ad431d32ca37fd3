import type { TerminalSize } from '../../src/shared/common/wire/index.js';
import type { SeededRandom } from '../support/index.js';

/** Output and changes of size, in the order in which they happen. */
export type StreamEvent =
  | { readonly type: 'output'; readonly bytes: Uint8Array }
  | { readonly type: 'resize'; readonly size: TerminalSize };

export interface Stream {
  readonly name: string;
  readonly size: TerminalSize;
  readonly events: readonly StreamEvent[];
  /** How often each class of sequences is in it. */
  readonly classes: ReadonlyMap<string, number>;
}

type Generator = (random: SeededRandom, size: TerminalSize) => string;

const ESC = '\x1b';
const csi = (rest: string): string => `${ESC}[${rest}`;
const number = (random: SeededRandom, most: number): string =>
  random.int(0, 9) === 0 ? '' : String(random.int(0, most));

const WORDS = ['ls', 'make', 'error', 'the', 'quick', 'brown', 'fox', 'x', 'Holdfast', '$ '];
const WIDE = ['日', '本', '語', '한', '글', '😀', '🎉', '（', 'Ａ', '中文字'];
const COMBINED = [
  'e\u0301',
  'n\u0303',
  'a\u0308\u0323',
  '\u0301',
  'क्षि',
  '👍🏽',
  '👩‍💻',
  '\ufe0f',
  'o\u200d',
];
const OTHER = ['ü', 'é', 'ß', 'Ж', 'λ', '→', '─', '█', '\u00a0', '\ufffd', '𝒳'];
const COLORS = (random: SeededRandom): string => {
  const base = random.pick(['3', '4', '9', '10']);
  switch (random.int(0, 5)) {
    case 0:
      return `${random.pick(['38', '48', '58'])};5;${String(random.int(0, 255))}`;
    case 1:
      return `${random.pick(['38', '48', '58'])};2;${[0, 0, 0].map(() => random.int(0, 255)).join(';')}`;
    case 2:
      return `${random.pick(['38', '48', '58'])}:2::${[0, 0, 0].map(() => random.int(0, 255)).join(':')}`;
    case 3:
      return random.pick(['39', '49', '59']);
    default:
      return `${base}${String(random.int(0, 7))}`;
  }
};
/** Finals of the sequences that move the cursor. */
const MOVES = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'a', 'e', '`', 'd'];
const SGR = [
  '0',
  '',
  '1',
  '2',
  '3',
  '4',
  '5',
  '7',
  '8',
  '9',
  '21',
  '22',
  '23',
  '24',
  '25',
  '27',
  '28',
  '29',
  '53',
  '55',
  '4:3',
  '4:0',
  '4:5',
  '6',
  '10',
  '99',
];

const cell = (random: SeededRandom, { rows, cols }: TerminalSize): string =>
  csi(`${number(random, rows + 1)};${number(random, cols + 1)}${random.pick(['H', 'H', 'f'])}`);
const line = (random: SeededRandom): string =>
  `${Array.from({ length: random.int(0, 8) }, () => random.pick(WORDS)).join(' ')}\r\n`;

/** Each class of sequences by its name, with what makes one. */
export const CLASSES: Readonly<Record<string, Generator>> = {
  text: (random) => random.pick(WORDS) + random.pick(['', ' ', '  ']),
  lines: (random) => Array.from({ length: random.int(1, 6) }, () => line(random)).join(''),
  'wide characters': (random) => random.pick(WIDE).repeat(random.int(1, 3)),
  'combining characters': (random) => random.pick(COMBINED),
  'other characters': (random) => random.pick(OTHER),
  'invalid UTF-8': (random) =>
    random.pick(['\u{dc80}', '\u{dcff}', '\u{dce4}\u{dcb8}', '\u{dcc2}']),
  controls: (random) =>
    random.pick(['\r', '\n', '\r\n', '\b', '\t', '\x07', '\0', '\x7f', '\x0b', '\x0c', '\x18']),
  wrap: (random, { cols }) =>
    'wrap'.repeat(Math.ceil((cols * random.int(1, 3)) / 4) + random.int(0, 1)),
  sgr: (random) =>
    csi(
      `${Array.from({ length: random.int(1, 3) }, () => (random.int(0, 1) === 0 ? random.pick(SGR) : COLORS(random))).join(';')}m`,
    ),
  'cursor moves': (random, size) =>
    random.int(0, 1) === 0 ? cell(random, size) : csi(number(random, 12) + random.pick(MOVES)),
  erase: (random) =>
    csi(random.pick(['', '0', '1', '2', '?1', '?2', '?']) + random.pick(['J', 'K', 'K'])),
  'erase characters': (random) => csi(`${number(random, 9)}X`),
  'insert and delete lines': (random) => csi(number(random, 5) + random.pick(['L', 'M'])),
  'insert and delete characters': (random) => csi(number(random, 5) + random.pick(['@', 'P'])),
  scroll: (random) =>
    random.pick([
      csi(`${number(random, 4)}S`),
      csi(`${number(random, 4)}T`),
      `${ESC}D`,
      `${ESC}M`,
      `${ESC}E`,
    ]),
  columns: (random) => csi(`${number(random, 3)}'${random.pick(['}', '~'])}`),
  'scroll region': (random, { rows }) =>
    random.int(0, 2) === 0 ? csi('r') : csi(`${number(random, rows)};${number(random, rows)}r`),
  'origin mode': (random) => csi(random.pick(['?6h', '?6l', '?6l'])),
  'alternate screen': (random) =>
    csi(`?${random.pick(['1049', '1049', '1047', '47', '1048'])}${random.pick(['h', 'l'])}`),
  charsets: (random) =>
    random.pick([
      '\x0e',
      '\x0f',
      `${ESC}n`,
      `${ESC}o`,
      `${ESC}${random.pick(['(', ')', '*', '+'])}${random.pick(['0', 'B', 'A', '0', 'B'])}`,
    ]) + random.pick(['', 'lqqk', '#']),
  tabs: (random) => random.pick(['\t', '\t', `${ESC}H`, csi('g'), csi('3g'), csi('2I'), csi('Z')]),
  'saved cursor': (random) =>
    random.pick([`${ESC}7`, `${ESC}8`, csi('s'), csi('u'), csi('?1048h'), csi('?1048l')]),
  modes: (random) =>
    csi(
      `?${random.pick(['1', '7', '9', '12', '25', '45', '66', '1000', '1002', '1003', '1004', '1006', '1016', '2004', '2026', '2031'])}${random.pick(['h', 'l'])}`,
    ) + random.pick(['', '', csi('?7h')]),
  'ansi modes': (random) => csi(`${random.pick(['4', '4', '20'])}${random.pick(['h', 'l', 'l'])}`),
  keypad: (random) => random.pick([`${ESC}=`, `${ESC}>`]),
  'cursor style': (random) => csi(`${String(random.int(0, 6))} q`),
  protection: (random) => csi(`${random.pick(['0', '1', '2'])}"q`),
  repeat: (random) => csi(`${number(random, 9)}b`),
  title: (random) =>
    `${ESC}]${random.pick(['0', '1', '2'])};${random.pick(['title', 'ünïcode 日本', ''])}${random.pick(['\x07', `${ESC}\\`])}`,
  links: (random) =>
    random.int(0, 1) === 0
      ? `${ESC}]8;;${ESC}\\`
      : `${ESC}]8;${random.pick(['', 'id=7'])};https://example.com/${String(random.int(0, 3))}${ESC}\\`,
  colors: (random) =>
    `${ESC}]${random.pick(['4;1;#ff0000', '10;#123456', '104', '110', '11;rgb:00/11/22'])}\x07`,
  queries: (random) =>
    random.pick([
      csi('c'),
      csi('6n'),
      csi('>c'),
      csi('?2004$p'),
      csi('14t'),
      `${ESC}]11;?\x07`,
      `${ESC}P$qm${ESC}\\`,
    ]),
  strings: (random) =>
    `${ESC}${random.pick(['P', '_', '^', 'X'])}${'payload;'.repeat(random.int(1, 12))}${ESC}\\`,
  'cut sequences': (random) =>
    random.pick([csi('12;'), `${ESC}]0;ti`, `${ESC}P1`, ESC]) +
    random.pick(['\x18', `${ESC}\\`, `${ESC}[m`]),
  'soft reset': () => csi('!p'),
  reset: () => '\x1bc',
  alignment: () => `${ESC}#8`,
  'kitty keyboard': (random) => csi(random.pick(['>1u', '<u', '=3;1u', '>4;2m'])),
};
const NAMES = Object.keys(CLASSES);
/** In most streams not at all, since they wipe out what came before. */
const RARE = new Set(['reset', 'alignment', 'soft reset']);

/** Lone bytes are written as U+DC80 to U+DCFF, which no UTF-8 has. */
export function encode(text: string): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const part of text.split(/([\u{dc80}-\u{dcff}])/u)) {
    const code = part.charCodeAt(0);
    const isByte = part.length === 1 && code >= 0xdc80 && code <= 0xdcff;
    parts.push(isByte ? Uint8Array.of(code - 0xdc00) : Buffer.from(part, 'utf8'));
  }
  return Buffer.concat(parts);
}

/**
 * A stream of `length` sequences or so, of a few classes that are drawn for it, cut at any place. With `only`,
 * all of those classes, and no changes of the size.
 */
export function randomStream(
  random: SeededRandom,
  name: string,
  length: number,
  only?: readonly string[],
): Stream {
  let size = { rows: random.int(2, 12), cols: random.int(4, 40) };
  const first = size;
  const resizes = only === undefined && random.int(0, 3) === 0;
  const chosen = NAMES.filter((candidate) => {
    if (only !== undefined) return only.includes(candidate);
    return random.int(0, RARE.has(candidate) ? 11 : 2) === 0;
  });
  if (only === undefined)
    chosen.push('text', random.pick(['lines', 'wrap', 'wide characters', 'cursor moves']));
  const isPlain = only === undefined && random.int(0, 3) === 0;
  const classes = new Map<string, number>();
  const events: StreamEvent[] = [];
  let pending = '';
  const flush = (): void => {
    const bytes = encode(pending);
    pending = '';
    // Cut at every kind of place, since reads and frames end anywhere.
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + random.pick([1, 2, 3, 7, 40, 300, 5_000]));
      events.push({ type: 'output', bytes: bytes.slice(at, end) });
      at = end;
    }
  };
  for (let count = 0; count < length; count += 1) {
    const kind =
      isPlain && count > 20 && count < length - 5
        ? random.pick(['lines', 'lines', 'lines', 'sgr', 'wide characters', 'combining characters'])
        : random.pick(chosen);
    const generate = CLASSES[kind] as Generator;
    pending += generate(random, size);
    classes.set(kind, (classes.get(kind) ?? 0) + 1);
    if (resizes && random.int(0, 30) === 0) {
      flush();
      size = { rows: random.int(2, 14), cols: random.int(4, 44) };
      events.push({ type: 'resize', size });
      classes.set('resize', (classes.get('resize') ?? 0) + 1);
    }
  }
  flush();
  return { name, size: first, events, classes };
}
