import { writeFileSync } from 'node:fs';

const NAMES = [
  'src',
  'main.ts',
  'README.md',
  'node_modules',
  'größe.txt',
  'données',
  '测试',
  'a.out',
];

const WORDS = [
  'größer',
  'données',
  'Ελληνικά',
  'русский',
  '测试数据',
  '日本語',
  '한국어',
  '🚀',
  '→',
  'naïve',
];

/**
 * Writes `bytes` bytes of what colour-happy programs print: short runs of text, each with its own SGR
 * sequence in 16, 256 or 16 million colours, cursor moves now and then, some of it beyond ASCII. Without
 * an @, which marks the end of a flood.
 */
export function writeColourText(file: string, bytes: number, random: () => number): void {
  const pieces: Buffer[] = [];
  let length = 0;
  while (length < bytes) {
    const line = Buffer.from(`${Array.from({ length: 8 }, () => colourRun(random)).join(' ')}\r\n`);
    pieces.push(line);
    length += line.length;
  }
  // Cut to the byte, maybe within a character: terminals see that all the time.
  writeFileSync(file, Buffer.concat(pieces).subarray(0, bytes));
}

/**
 * Writes `bytes` bytes of words in scripts whose characters take two to four bytes, some of them two columns
 * wide, in lines of a usual length.
 */
export function writeUtf8Text(file: string, bytes: number, random: () => number): void {
  const pieces: Buffer[] = [];
  let length = 0;
  while (length < bytes) {
    const words = Array.from({ length: 10 }, () => WORDS[Math.floor(random() * WORDS.length)]!);
    const line = Buffer.from(`${words.join(' ')}\r\n`);
    pieces.push(line);
    length += line.length;
  }
  writeFileSync(file, Buffer.concat(pieces).subarray(0, bytes));
}

function colourRun(random: () => number): string {
  const number = (below: number): number => Math.floor(random() * below);
  const name = NAMES[number(NAMES.length)]!;
  const sgr = [
    String(30 + number(8)),
    `1;${String(90 + number(8))}`,
    `38;5;${String(number(256))}`,
    `38;2;${String(number(256))};${String(number(256))};${String(number(256))}`,
  ][number(4)]!;
  const move = number(20) === 0 ? `\u001b[${String(1 + number(80))}G` : '';
  return `${move}\u001b[${sgr}m${name}${String(number(1_000))}\u001b[0m`;
}
