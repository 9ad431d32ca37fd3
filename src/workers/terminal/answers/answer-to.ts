import type { TerminalSize } from '../../../shared/common/wire/index.js';

/** What an answer may need to know of the screen at the moment of the query. */
export interface ScreenFacts {
  readonly size: TerminalSize;
  /** What an emulator with this screen answers to `query`, which takes some time. Absent: nothing. */
  ask(query: string): string | undefined;
}

const ESC = '\x1b';
/** One cell in pixels, as nobody's screen is asked for it: the size that most emulators fall back to. */
const CELL = { width: 8, height: 16 } as const;
const FOREGROUND = 'd6d6/dede/e8e8';
const BACKGROUND = '0d0d/1111/1717';
/** The first 16 colours of xterm; the rest of the palette is computed. */
const PALETTE: readonly number[] = [
  0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f,
  0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];
const CAPABILITIES: ReadonlyMap<string, string> = new Map([
  ['TN', 'xterm-256color'],
  ['name', 'xterm-256color'],
  ['Co', '256'],
  ['colors', '256'],
  ['RGB', '8/8/8'],
]);

/**
 * What a terminal says to `sequence`, a whole control sequence without what ends a string; `by` says how it
 * ended. The answers are those of xterm.js, whose features the page has (its manual, and xterm's ctlseqs).
 * Absent: it is no query, or one that is not answered: titles and the clipboard are nobody's business.
 */
export function answerTo(
  sequence: string,
  by: 'final' | 'bel' | 'st',
  screen: ScreenFacts,
): string | undefined {
  const body = sequence.slice(2);
  switch (sequence[1]) {
    case '[':
      return answerToCsi(body, screen);
    case ']':
      return answerToOsc(body, by === 'bel' ? '\x07' : `${ESC}\\`);
    case 'P':
      return answerToDcs(body, screen);
    case 'Z': // DECID, the older name of DA1
      return sequence.length === 2 ? `${ESC}[?1;2c` : undefined;
    default:
      return undefined;
  }
}

function answerToCsi(body: string, screen: ScreenFacts): string | undefined {
  switch (body) {
    case 'c':
    case '0c':
      return `${ESC}[?1;2c`;
    case '>c':
    case '>0c':
      return `${ESC}[>0;276;0c`;
    case '=c':
    case '=0c':
      return `${ESC}P!|00000000${ESC}\\`;
    case '5n':
      return `${ESC}[0n`;
    case '6n':
    case '?6n':
      return screen.ask(`${ESC}[${body}`);
    case '>q':
    case '>0q':
      return `${ESC}P>|holdfast${ESC}\\`;
    case '?u':
      return `${ESC}[?0u`;
    case '14t':
      return `${ESC}[4;${String(screen.size.rows * CELL.height)};${String(screen.size.cols * CELL.width)}t`;
    case '16t':
      return `${ESC}[6;${String(CELL.height)};${String(CELL.width)}t`;
    case '18t':
    case '19t':
      return `${ESC}[${body === '18t' ? '8' : '9'};${String(screen.size.rows)};${String(screen.size.cols)}t`;
    default:
      // DECRQM: the modes of the screen.
      return /^\??[0-9]{1,5}\$p$/.test(body) ? screen.ask(`${ESC}[${body}`) : undefined;
  }
}

function answerToOsc(body: string, end: string): string | undefined {
  const [number = '', ...fields] = body.split(';');
  switch (number) {
    case '4': {
      const [index = '', ask] = fields;
      const colour = /^[0-9]{1,3}$/.test(index) ? paletteColour(Number(index)) : undefined;
      return ask === '?' && fields.length === 2 && colour !== undefined
        ? `${ESC}]4;${index};rgb:${colour}${end}`
        : undefined;
    }
    case '10':
    case '11':
    case '12':
      // `10;?;?` asks for the next one as well; nobody does, and one answer is right for the first.
      return fields[0] === '?'
        ? `${ESC}]${number};rgb:${number === '11' ? BACKGROUND : FOREGROUND}${end}`
        : undefined;
    default:
      return undefined;
  }
}

function paletteColour(index: number): string | undefined {
  if (index > 255) return undefined;
  let rgb = PALETTE[index];
  if (rgb === undefined && index < 232) {
    const level = (step: number): number => (step === 0 ? 0 : 55 + step * 40);
    const cube = index - 16;
    rgb =
      (level(Math.floor(cube / 36)) << 16) |
      (level(Math.floor(cube / 6) % 6) << 8) |
      level(cube % 6);
  }
  rgb ??= (8 + (index - 232) * 10) * 0x010101;
  const hex = rgb.toString(16).padStart(6, '0');
  return [0, 2, 4].map((at) => hex.slice(at, at + 2).repeat(2)).join('/');
}

function answerToDcs(body: string, screen: ScreenFacts): string | undefined {
  if (body.startsWith('$q')) return screen.ask(`${ESC}P${body}${ESC}\\`);
  if (!body.startsWith('+q')) return undefined;
  const names = body.slice(2);
  if (!/^[0-9a-fA-F;]+$/.test(names)) return `${ESC}P0+r${ESC}\\`;
  const known = names.split(';').map((hex) => {
    const value = CAPABILITIES.get(Buffer.from(hex, 'hex').toString('latin1'));
    return value === undefined ? undefined : `${hex}=${Buffer.from(value).toString('hex')}`;
  });
  // As xterm: all up to the first that is not known.
  const cut = known.indexOf(undefined);
  const told = (cut === -1 ? known : known.slice(0, cut)).join(';');
  return told === '' ? `${ESC}P0+r${names}${ESC}\\` : `${ESC}P1+r${told}${ESC}\\`;
}
