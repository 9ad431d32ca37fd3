import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PlainPieces } from '../../src/workers/terminal/screen/plain-pieces.js';
import { PlainScanner } from '../../src/workers/terminal/screen/plain-text.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Of what the streams of the tests are made: plain, and odd. */
const PLAIN = [
  'a',
  'line\r\n',
  '\t',
  '\0',
  '\xc3\xa9',
  '\xc2\xa0',
  '\x1b[0;31m',
  '\x1b[K',
  '\x1b[12G',
];
const ODD = [
  '\x0e',
  '\x0f',
  '\x1bM',
  '\x1b[2J',
  '\x1b]0;t\x07',
  '\xc2\x85',
  '\x1b[?25l',
  '\x1b[5A',
];

const cut = (whole: Buffer, step: number): Buffer[] => {
  const pieces: Buffer[] = [];
  for (let at = 0; at < whole.length; at += step) pieces.push(whole.subarray(at, at + step));
  return pieces;
};

test('plain output - however it is cut, plain output is plain, and odd output is not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...PLAIN), { maxLength: 60 }),
      fc.array(fc.constantFrom(...PLAIN), { maxLength: 60 }),
      fc.constantFrom(...ODD),
      fc.integer({ min: 1, max: 90 }),
      (before, after, odd, step) => {
        const plain = new PlainScanner();
        const text = bytes([...before, ...after].join(''));
        for (const piece of cut(text, step)) assert.ok(plain.isPlain(piece), 'plain');
        const other = new PlainScanner();
        // What follows tells a sequence that is only cut off from one that is odd.
        const mixed = bytes([...before, odd, ...after, 'end'].join(''));
        const isPlain = cut(mixed, step).map((piece) => other.isPlain(piece));
        assert.ok(isPlain.includes(false), 'odd');
      },
    ),
    { verbose: true, numRuns: 500 },
  );
});

test('plain output - an endless sequence is not plain, cut or whole', () => {
  const endless = bytes(`\x1b[${'1;'.repeat(500)}`);
  for (const step of [1, 7, 63, 64, 65, endless.length]) {
    const scanner = new PlainScanner();
    const isPlain = cut(endless, step).map((piece) => scanner.isPlain(piece));
    assert.ok(isPlain.includes(false), `in steps of ${String(step)}`);
  }
});

test('plain output - a sequence that is begun anew is nothing, and what follows still counts', () => {
  assert.equal(new PlainScanner().isPlain(bytes('\x1b[3\x1b[31mred')), true);
  assert.equal(new PlainScanner().isPlain(bytes('\x1b[3\x1b[2J')), false);
});

test('plain pieces - nothing is known of what came before the first byte they were given', () => {
  const pieces = new PlainPieces(100);
  pieces.appended(bytes('\n'.repeat(50)), 10);
  const count = (): number => assert.fail('nothing needs to be counted');
  assert.equal(pieces.isPlainBeyond(99, 100, 10, count), false);
  assert.equal(pieces.isPlainBeyond(100, 100, 10, count), true);
  assert.equal(pieces.isBare(99, 120), false);
  assert.equal(pieces.isBare(100, 120), true);
  assert.equal(pieces.isBare(100, 151), false, 'not beyond what has come');
});

test('plain pieces - the line feeds of the piece that the place lies in are counted in the log', () => {
  const log = bytes(`${'x'.repeat(60)}${'y\r\n'.repeat(20)}`);
  const pieces = new PlainPieces(0);
  pieces.appended(log, 100);
  const count = (from: number, to: number): number =>
    log.subarray(from, to).filter((byte) => byte === 0x0a).length;
  assert.equal(pieces.isPlainBeyond(0, 60, 20, count), true);
  assert.equal(pieces.isPlainBeyond(0, 63, 20, count), false);
  assert.equal(pieces.isPlainBeyond(0, 63, 19, count), true);
});

test('plain pieces - a flood is looked at in parts, and what is odd in one does not touch the others', () => {
  const part = 8 * 1024;
  const flood = Buffer.alloc(10 * part, 'text\r\n');
  bytes('\x1b[2J').copy(flood, part + 100);
  const pieces = new PlainPieces(0);
  pieces.appended(flood, 8);
  const count = (from: number, to: number): number =>
    flood.subarray(from, to).filter((byte) => byte === 0x0a).length;
  assert.equal(pieces.isPlainBeyond(0, part + 200, 8, count), false, 'across the odd one');
  assert.equal(pieces.isPlainBeyond(2 * part, 3 * part, 8, count), true, 'behind it');
  assert.equal(pieces.isBare(2 * part, 10 * part), true);
  pieces.forget(2 * part);
  assert.equal(pieces.isPlainBeyond(0, part, 1, count), false, 'forgotten');
  assert.equal(pieces.isPlainBeyond(2 * part, 3 * part, 8, count), true);
});

test('plain pieces - what does nothing is idle, up to the first byte that does', () => {
  const pieces = new PlainPieces(0);
  const part = 8 * 1024;
  pieces.appended(new Uint8Array(3 * part), 10);
  pieces.appended(bytes('x'), 10);
  assert.equal(pieces.idleUntil(0), 3 * part);
  assert.equal(pieces.idleUntil(3 * part), 3 * part);
});
