import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { TerminalSize } from '../../src/shared/common/wire/index.js';
import type { SeededRandom } from '../support/index.js';
import type { Stream, StreamEvent } from './streams.js';

/** From the built file to the sources, where the recordings are. */
const FIXTURES = path.join(import.meta.dirname, '../../../test/fidelity/fixtures');

interface Recording extends TerminalSize {
  readonly events: readonly (readonly ['o', string] | readonly ['r', readonly [number, number]])[];
}

/** Sessions of these programs are in `fixtures`. */
const RECORDED = ['bash', 'htop', 'less', 'mc', 'nano', 'tmux', 'vim'];
const WIDE_TORTURE = 'wide characters';
const COLOUR_TORTURE = 'colours';
const FLOOD = 'flood of lines';
export const SESSIONS: readonly string[] = [...RECORDED, WIDE_TORTURE, COLOUR_TORTURE, FLOOD];

/** The session or torture file `name`, one of {@link SESSIONS}. */
export function session(random: SeededRandom, name: string): Stream {
  switch (name) {
    case WIDE_TORTURE:
      return wideTorture(random);
    case COLOUR_TORTURE:
      return colourTorture(random);
    case FLOOD:
      return flood(random);
    default:
      return recordedSession(random, name);
  }
}

/** All that was recorded. */
export function recordedSessions(random: SeededRandom): Stream[] {
  return RECORDED.map((name) => recordedSession(random, name));
}

/** Cut into pieces as reads would. */
function recordedSession(random: SeededRandom, name: string): Stream {
  const json = gunzipSync(readFileSync(path.join(FIXTURES, `${name}.json.gz`))).toString();
  const { rows, cols, events } = JSON.parse(json) as Recording;
  return {
    name,
    size: { rows, cols },
    events: events.flatMap(([type, value]): StreamEvent[] =>
      type === 'o'
        ? cut(random, Buffer.from(value, 'base64'))
        : [{ type: 'resize', size: { rows: value[0], cols: value[1] } }],
    ),
    classes: new Map(),
  };
}

const WIDE = [
  ...[
    '日本語',
    '中文字',
    '한국어',
    'テキスト',
    '，。！？',
    '（）「」',
    'ＡＢＣ',
    '😀🎉🚀',
    '👍🏽',
    '👩‍💻',
    '🇩🇪',
    '❤️',
  ],
  ...['e\u0301', 'a\u0308\u0323', 'क्षि', 'ไทย', 'عربي', '“”', '–—…•→', '█─│┌┐└┘', 'plain ', '\t'],
];
const EDITS = ['K', '3@', '2P', '5X', 'L', 'M', '4D', '1K', '2b', '10;20H', '3;70H', '24;79H'];

/** Wide, joined and combining characters, wrapped, overwritten, shifted and torn. */
function wideTorture(random: SeededRandom): Stream {
  let text = '';
  for (let count = 0; count < 3_000; count += 1) {
    text += random.pick(WIDE).repeat(random.int(1, 6));
    if (random.int(0, 5) === 0) text += `\x1b[${random.pick(EDITS)}`;
    if (random.int(0, 9) === 0) text += `\x1b[${random.pick(['0', '1', '4', '7', '31', '104'])}m`;
    text += random.pick(['', '', '\r\n', '\r', '\b']);
  }
  return torture(random, WIDE_TORTURE, text);
}

/** Every kind of colour and attribute, in lines and as pictures that fill the screen. */
function colourTorture(random: SeededRandom): Stream {
  const byte = (): string => String(random.int(0, 255));
  let text = '';
  for (let count = 0; count < 4_000; count += 1) {
    const base = random.pick(['38', '48', '58']);
    text += `\x1b[${random.pick([
      `${base};2;${byte()};${byte()};${byte()}`,
      `${base};5;${byte()}`,
      `${base}:2::${byte()}:${byte()}:${byte()}`,
      ...[
        '0',
        '1',
        '2',
        '3',
        '4',
        '4:3',
        '5',
        '7',
        '8',
        '9',
        '21',
        '22',
        '24',
        '27',
        '39',
        '49',
        '53',
        '59',
      ],
      String(random.int(30, 37)),
      String(random.int(90, 107)),
    ])}m`;
    text += random.pick(['▀▄', 'text ', '█', '░▒▓', '\r\n', '\x1b[K', '\x1b[3X', '\x1b[5C']);
    if (count % 1_000 === 999) text += picture(random);
  }
  return torture(random, COLOUR_TORTURE, text);
}

function picture(random: SeededRandom): string {
  const hue = random.int(0, 255);
  let text = '';
  for (let row = 0; row < 24; row += 1) {
    text += `\x1b[${String(row + 1)};1H`;
    for (let x = 0; x < 80; x += 1) {
      const [red, green, blue] = [(x * 3 + hue) % 256, row * 10, (x * row) % 256].map(String);
      text += `\x1b[38;2;${red ?? ''};${green ?? ''};${blue ?? ''};48;2;${blue ?? ''};${red ?? ''};9m▀`;
    }
  }
  return text;
}

/** Coloured lines of plain text, which checkpoints move over without an emulator. */
function flood(random: SeededRandom): Stream {
  let text = '\x1b[?2004h\x1b]2;flood\x07';
  for (let count = 0; count < 3_000; count += 1) {
    if (random.int(0, 3) === 0) text += `\x1b[${random.pick(['0', '1', '31', '38;5;99', '7'])}m`;
    text += `${String(count)} ${random.pick(WIDE)}\x1b[K\r\n`;
  }
  return torture(random, FLOOD, text);
}

function torture(random: SeededRandom, name: string, text: string): Stream {
  return {
    name,
    size: { rows: 24, cols: 80 },
    events: cut(random, Buffer.from(text, 'utf8')),
    classes: new Map(),
  };
}

/** Reads end anywhere. */
function cut(random: SeededRandom, bytes: Buffer): StreamEvent[] {
  const events: StreamEvent[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + random.int(1, 2_000));
    events.push({ type: 'output', bytes: bytes.subarray(at, end) });
    at = end;
  }
  return events;
}
