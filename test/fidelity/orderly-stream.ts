import type { TerminalSize } from '../../src/shared/common/wire/index.js';
import { createRandom, type SeededRandom } from '../support/index.js';
import type { Stream, StreamEvent } from './streams.js';

const EDITS = ['P', 'X'];
const MOST_INSERTED = 4;
const ERASES = ['J', '1J', '2J', 'K', '1K', '2K'];
const ATTRIBUTES = ['0', '1', '4', '7', '31', '42', '38;5;200', '48;2;1;2;3'];
const WORDS = ['make', 'error: no rule', 'the quick brown fox', 'ü → é', '│──┤', 'x'];

/**
 * What a tidy full-screen program sends: each edit after a move to a place on the screen, whole scroll regions,
 * the alternate screen entered and left in turn. All emulators understand it alike, where in the streams that
 * break every rule each has its own corners. Left out are therefore: overwriting half of a wide character, going
 * on in the column where lines were inserted or deleted (tmux stays there, xterm.js and VT terminals go to the
 * first), inserting more characters than are left to the right (tmux 3.3a does not clear all that it moved), and
 * scrolling while a cursor is saved (with xterm.js it moves with the text, with tmux it does not).
 */
export function orderlyStream(seed: number): Stream {
  const random = createRandom(seed);
  const size = { rows: random.int(3, 14), cols: random.int(10, 60) };
  const step = stepsOf(random, size);
  const text = Array.from({ length: random.int(60, 300) }, step).join('');
  const bytes = Buffer.from(text, 'utf8');
  const events: StreamEvent[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + random.int(1, 200));
    events.push({ type: 'output', bytes: bytes.subarray(at, end) });
    at = end;
  }
  return { name: `orderly stream of seed ${String(seed)}`, size, events, classes: new Map() };
}

function stepsOf(random: SeededRandom, { rows, cols }: TerminalSize): () => string {
  let isAlternate = false;
  const word = (): string => random.pick(WORDS);
  const move = (column = random.int(1, cols)): string =>
    `\x1b[${String(random.int(1, rows))};${String(column)}H`;
  const steps: (() => string)[] = [
    () => Array.from({ length: random.int(1, 4) }, () => `${word()} ${word()}\r\n`).join(''),
    () => `${move()}${word()}`,
    () => `${move()}\x1b[${String(random.int(1, 5))}${random.pick(EDITS)}`,
    () => {
      const count = random.int(1, MOST_INSERTED);
      return `${move(random.int(1, cols - 2 * count - 1))}\x1b[${String(count)}@`;
    },
    () => `${move(1)}\x1b[${String(random.int(1, 3))}${random.pick(['L', 'M'])}`,
    () => `${move()}\x1b[${random.pick(ERASES)}`,
    () => `\x1b[${random.pick(ATTRIBUTES)}m`,
    () => `${move()}${random.pick(['\x1bD', '\x1bM', '\x1bE', '\t'])}${word()}`,
    () => `${move()}\x1b7${move()}x\x1b8${word()}`,
    () => {
      const top = random.int(1, rows - 1);
      const bottom = random.int(top + 1, rows);
      return `\x1b[${String(top)};${String(bottom)}r${move()}${word()}\r\n${word()}\r\n\x1b[r`;
    },
    () => {
      if (random.int(0, 3) > 0) return '';
      isAlternate = !isAlternate;
      return isAlternate ? `\x1b[?1049h\x1b[H${word()}` : `\x1b[?1049l${word()}`;
    },
  ];
  return () => random.pick(steps)();
}
