import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LINE_BYTES,
  LineChecker,
  LinePattern,
  paceOf,
  producerCommand,
  type LineFault,
  type LineStart,
} from '../../src/main/load/lines/index.js';
import { seededRandom, type SeededRandom } from '../support/index.js';

const NAME = 'load-test-7';
const pattern = new LinePattern(NAME);

/** What a checker says of `bytes` from log position `offset` on, given in pieces. */
function faultsOf(
  bytes: Uint8Array,
  offset = 0,
  random?: SeededRandom,
  start: LineStart = { offset: 0 },
): LineFault[] {
  const faults: LineFault[] = [];
  const checker = new LineChecker({ pattern, start, onFault: (fault) => faults.push(fault) });
  let at = 0;
  while (at < bytes.length) {
    const count = random === undefined ? bytes.length : random.int(1, random.pick([3, 200, 5_000]));
    checker.push(bytes.subarray(at, at + count), offset + at);
    at += count;
  }
  checker.interrupted();
  assert.equal(checker.checkedBytes, bytes.length);
  return faults;
}

/** `bytes` without those from `at` to `at + count`. */
function without(bytes: Buffer, at: number, count: number): Buffer {
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)]);
}

test('load lines - are of one length, numbered, checked, and say whose they are', () => {
  const text = pattern.lines(41, 2).toString();
  const [first = '', second = '', end] = text.split('\r\n');
  assert.match(first, /^000000041 \d{9} \x1b\[36mload-test-7\x1b\[0m größer → abc/);
  assert.match(second, /^000000042 /);
  assert.equal(end, '');
  assert.equal(Buffer.byteLength(first) + 2, LINE_BYTES);
  assert.notEqual(first.slice(10, 19), second.slice(10, 19));
  const other = new LinePattern('load-test-8').lines(41, 1).toString();
  assert.notEqual(other.slice(10, 19), first.slice(10, 19));
});

test('load lines - whatever is cut out of the output anywhere is right, in any pieces', () => {
  const random = seededRandom();
  const output = pattern.lines(0, 2_000);
  for (let round = 0; round < 200; round += 1) {
    const from = random.int(0, output.length - 1);
    const to = random.int(from, output.length);
    assert.deepEqual(faultsOf(output.subarray(from, to), from, random), []);
  }
});

test('load lines - numbers come again after the last one, and the check values with them', () => {
  const around = pattern.lines(999_999_998, 4);
  const offset = 999_999_998 * LINE_BYTES;
  assert.match(around.toString(), /^999999998 [^]*\n999999999 [^]*\n000000000 [^]*\n000000001 /);
  assert.deepEqual(faultsOf(around, offset), []);
  assert.equal(around.subarray(2 * LINE_BYTES).compare(pattern.lines(0, 2)), 0);
  // A gap across the seam is as long as it is, not a whole round.
  const torn = without(around, LINE_BYTES, LINE_BYTES);
  assert.deepEqual(faultsOf(torn, offset), [{ kind: 'lost', bytes: LINE_BYTES }]);
});

test('load lines - planted gaps are found, to the byte', () => {
  const random = seededRandom();
  const output = pattern.lines(0, 500);
  for (let round = 0; round < 300; round += 1) {
    const count = random.int(1, random.pick([4, LINE_BYTES, 40_000]));
    const at = random.int(0, output.length - count - 3 * LINE_BYTES);
    const torn = without(output, at, count);
    assert.deepEqual(faultsOf(torn, 0, random), [{ kind: 'lost', bytes: count }], `at ${at}`);
  }
});

test('load lines - planted duplicates are found, to the byte', () => {
  const random = seededRandom();
  const output = pattern.lines(0, 500);
  for (let round = 0; round < 300; round += 1) {
    const count = random.int(1, random.pick([4, LINE_BYTES, 20_000]));
    const at = random.int(count, output.length - 3 * LINE_BYTES);
    const twice = Buffer.concat([output.subarray(0, at), output.subarray(at - count)]);
    // Bytes that look the same as those that follow them could as well be the ones that came twice.
    assert.deepEqual(faultsOf(twice, 0, random), [{ kind: 'doubled', bytes: count }], `at ${at}`);
  }
});

test('load lines - a flipped byte is one corrupt line, wherever it is', () => {
  const random = seededRandom();
  const output = pattern.lines(0, 12);
  for (let at = 0; at < output.length; at += 1) {
    const flipped = Buffer.from(output);
    flipped[at] = (output[at] ?? 0) ^ (1 << random.int(0, 7));
    assert.deepEqual(faultsOf(flipped, 0, random), [{ kind: 'corrupt', lines: 1 }], `at ${at}`);
  }
});

test('load lines - many faults are each found once, and what is right between them is right', () => {
  const random = seededRandom();
  for (let round = 0; round < 50; round += 1) {
    const pieces: Buffer[] = [];
    const planted: LineFault[] = [];
    let next = 0;
    for (let fault = 0; fault < 10; fault += 1) {
      const count = random.int(5, 30);
      const piece = pattern.lines(next, count);
      pieces.push(piece);
      next += count;
      const kind = random.pick(['lost', 'doubled', 'corrupt'] as const);
      if (kind === 'corrupt') {
        const at = random.int(2 * LINE_BYTES, piece.length - 2 * LINE_BYTES);
        piece[at] = (piece[at] ?? 0) ^ 0x81;
        planted.push({ kind, lines: 1 });
      } else {
        const lines = random.int(1, kind === 'lost' ? 1_000 : 4);
        next += kind === 'lost' ? lines : -lines;
        planted.push({ kind, bytes: lines * LINE_BYTES });
      }
    }
    pieces.push(pattern.lines(next, 5));
    assert.deepEqual(faultsOf(Buffer.concat(pieces), 0, random), planted);
  }
});

test('load lines - output of another terminal, and what is no line at all, is corrupt', () => {
  const random = seededRandom();
  const foreign = Buffer.concat([
    pattern.lines(0, 10),
    new LinePattern('load-test-8').lines(10, 3),
    pattern.lines(13, 10),
  ]);
  assert.deepEqual(faultsOf(foreign, 0, random), [{ kind: 'corrupt', lines: 3 }]);
  const noise = Buffer.concat([pattern.lines(0, 10), Buffer.from('sh: 1: awk: not found\n')]);
  assert.deepEqual(faultsOf(noise), [{ kind: 'corrupt', lines: 1 }]);
  const much = faultsOf(Buffer.from(random.bytes(1_000_000)), 0, random);
  assert.ok(much.every(({ kind }) => kind === 'corrupt'));
  const lines = much.reduce((sum, fault) => sum + ('lines' in fault ? fault.lines : 0), 0);
  assert.ok(Math.abs(lines - 1_000_000 / LINE_BYTES) < 200, String(lines));
});

test('load lines - a gap that was stated is none of its business, but what follows it is', () => {
  const faults: LineFault[] = [];
  const start = { offset: 0 };
  const checker = new LineChecker({ pattern, start, onFault: (fault) => faults.push(fault) });
  checker.push(pattern.lines(0, 3), 0);
  checker.interrupted();
  checker.push(pattern.lines(100, 3), 100 * LINE_BYTES);
  assert.deepEqual(faults, []);
  // It says that it goes on at line 200 and goes on at line 201.
  checker.interrupted();
  checker.push(pattern.lines(201, 3), 200 * LINE_BYTES);
  assert.deepEqual(faults, [{ kind: 'lost', bytes: LINE_BYTES }]);
});

test('load lines - what a shell prints before them is passed over, and their start is found', () => {
  const random = seededRandom();
  const preface = Buffer.from('Welcome!\r\nYou have 3 new messages.\r\n$ ');
  const output = Buffer.concat([preface, pattern.lines(0, 200)]);
  for (let round = 0; round < 50; round += 1) {
    const start: LineStart = { offset: undefined };
    // A line that does not follow a line break is only recognised with the next one.
    assert.deepEqual(faultsOf(output, 0, random, start), []);
    assert.equal(start.offset, preface.length);
    // Another viewer, who came later and was told where they begin, or not.
    const from = random.int(0, output.length);
    assert.deepEqual(faultsOf(output.subarray(from), from, random, start), []);
    assert.deepEqual(faultsOf(output.subarray(from), from, random, { offset: undefined }), []);
  }
});

test('load lines - what is missing between the start and the first line that was seen is lost', () => {
  const random = seededRandom();
  const preface = Buffer.from('hello\r\n');
  const start: LineStart = { offset: preface.length };
  const torn = Buffer.concat([preface, pattern.lines(4, 20)]);
  assert.deepEqual(faultsOf(torn, 0, random, start), [{ kind: 'lost', bytes: 4 * LINE_BYTES }]);
  // Nobody has seen the start: still they cannot have begun before the log.
  const found = faultsOf(pattern.lines(4, 20), 0, random, { offset: undefined });
  assert.deepEqual(found, [{ kind: 'lost', bytes: 4 * LINE_BYTES }]);
});

test('load lines - without a single line in much output all of it is corrupt', () => {
  const random = seededRandom();
  const noise = Buffer.from(random.bytes(200_000));
  const faults = faultsOf(noise, 0, random, { offset: undefined });
  assert.ok(faults.length > 0 && faults.every(({ kind }) => kind === 'corrupt'));
  assert.deepEqual(faultsOf(noise.subarray(0, 60_000), 0, random, { offset: undefined }), []);
});

test('load lines - few wake-ups for little output, small pieces for much', () => {
  assert.deepEqual(paceOf(1_024), { ticks: 10, lines: 8 });
  assert.deepEqual(paceOf(10 * 1_024), { ticks: 1, lines: 8 });
  assert.deepEqual(paceOf(100 * 1_024), { ticks: 1, lines: 80 });
  assert.deepEqual(paceOf(100), { ticks: 50, lines: 4 });
  for (const rate of [100, 500, 3_000, 20_000, 1_000_000, 50_000_000]) {
    const { ticks, lines } = paceOf(rate);
    const real = (lines * LINE_BYTES * 10) / ticks;
    assert.ok(Math.abs(real / rate - 1) < 0.13, `${rate}: ${real}`);
  }
});

test('load lines - the command of a producer quotes nothing wrongly', () => {
  const command = producerCommand(pattern, { kind: 'rate', bytesPerSecond: 1_024 });
  assert.equal(command[0], '/bin/sh');
  // One quoted awk program, which holds no quote of its own.
  assert.equal((command[2] ?? '').split("'").length, 3);
  assert.deepEqual(command.slice(4), ['10', '8', String(pattern.key), pattern.text]);
  assert.ok(!pattern.text.includes('\\'), 'awk -v would read it as an escape');
});
