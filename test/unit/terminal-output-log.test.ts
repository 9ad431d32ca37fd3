import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../src/shared/common/index.js';
import { GrowthBudget, OutputLog } from '../../src/workers/terminal/output-log.js';
import { seededRandom } from '../support/index.js';

interface Fixture {
  readonly log: OutputLog;
  /** What a surviving main would hold. */
  readonly blocks: (SharedArrayBuffer | undefined)[];
  readonly evicted: number[];
  readonly budget: GrowthBudget;
}

function createLog(ringBytes = 16_384, budgetBytes = limits.RING_GROWTH_BUDGET_BYTES): Fixture {
  const shared = new SharedArrayBuffer(4);
  new Int32Array(shared)[0] = budgetBytes;
  const budget = new GrowthBudget(shared);
  const blocks: (SharedArrayBuffer | undefined)[] = [];
  const evicted: number[] = [];
  const log = new OutputLog({
    ringBytes,
    leadInBytes: 0,
    budget,
    recovered: [],
    head: 0,
    onBlock: (block) => blocks.push(block),
    onBlockFreed: (index) => {
      blocks[index] = undefined;
    },
    onEvict: (bytes) => evicted.push(...bytes),
  });
  return { log, blocks, evicted, budget };
}

/** Byte `offset` of the test's log. */
const byteAt = (offset: number): number => (offset * 31 + (offset >> 8)) & 0xff;

function piece(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => byteAt(from + index));
}

function read(log: OutputLog, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(to - from);
  log.copy(from, to, bytes, 0);
  return bytes;
}

test('log - keeps exactly the last bytes of the ring, whatever the sizes of the pieces', () => {
  const { seed } = seededRandom();
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9_000 }), { maxLength: 40 }), (lengths) => {
      const { log, evicted } = createLog();
      for (const length of lengths) log.append(piece(log.head, length));
      const total = lengths.reduce((sum, length) => sum + length, 0);
      assert.equal(log.head, total);
      assert.equal(log.oldest, Math.max(0, total - 16_384));
      assert.deepEqual(read(log, log.oldest, total), piece(log.oldest, total - log.oldest));
      // Evicted bytes were handed over once, in order, up to where the blocks begin.
      assert.equal(evicted.length, log.foldedTo);
      assert.deepEqual(Uint8Array.from(evicted), piece(0, evicted.length));
    }),
    { seed, numRuns: 60 },
  );
});

test('log - reads any range that it keeps', () => {
  const random = seededRandom();
  const { log } = createLog();
  while (log.head < 100_000) log.append(piece(log.head, random.int(1, 5_000)));
  for (let round = 0; round < 200; round += 1) {
    const from = random.int(log.foldedTo, log.head - 1);
    const to = random.int(from, log.head);
    assert.deepEqual(read(log, from, to), piece(from, to - from));
  }
});

test('log - costs no memory before the first byte, and one block after it', () => {
  const { log, blocks } = createLog();
  assert.equal(blocks.length, 0);
  log.append(piece(0, 1));
  assert.equal(blocks.length, 1);
});

test('log - never evicts what is protected: it grows, and shrinks when the protection moves on', () => {
  const { log, blocks, budget } = createLog();
  const before = budget.left;
  log.append(piece(0, 10_000));
  log.protect(5_000);
  while (log.head < 300_000) log.append(piece(log.head, 4_000));
  assert.ok(log.oldest <= 5_000);
  assert.deepEqual(read(log, 5_000, log.head), piece(5_000, log.head - 5_000));
  assert.ok(budget.left < before);
  log.protect(log.head);
  assert.equal(log.oldest, log.head - 16_384);
  assert.equal(budget.left, before, 'the budget is whole again');
  assert.equal(blocks.filter((block) => block !== undefined).length, 5);
  assert.deepEqual(read(log, log.oldest, log.head), piece(log.oldest, 16_384));
});

test('log - says that there is no room before protected bytes would have to go', () => {
  const { log } = createLog();
  log.protect(0);
  while (log.hasRoom(4_096)) log.append(piece(log.head, 4_096));
  assert.ok(log.head > limits.RING_MAX_BYTES - 2 * 4_096);
  assert.ok(log.head <= limits.RING_MAX_BYTES);
  // The drain at exit ignores it and still loses nothing.
  log.append(piece(log.head, 70_000));
  assert.deepEqual(read(log, 0, log.head), piece(0, log.head));
});

test('log - the budget of all terminals bounds the growth of each', () => {
  const { log } = createLog(16_384, 8_192);
  log.protect(0);
  while (log.hasRoom(4_096)) log.append(piece(log.head, 4_096));
  assert.ok(log.head < 16_384 + 5 * 4_096);
});

test('log - the blocks of a dead worker are enough to go on at the very next byte', () => {
  const random = seededRandom();
  for (let round = 0; round < 30; round += 1) {
    const { log, blocks, budget } = createLog();
    const total = random.int(0, 80_000);
    while (log.head < total) log.append(piece(log.head, random.int(1, 6_000)));
    if (round % 3 === 0) log.protect(Math.max(0, log.head - 40_000));
    const recovered = blocks.filter((block) => block !== undefined);
    for (let index = recovered.length - 1; index > 0; index -= 1) {
      const other = random.int(0, index);
      [recovered[index], recovered[other]] = [recovered[other]!, recovered[index]!];
    }
    const next = new OutputLog({
      ringBytes: 16_384,
      leadInBytes: 0,
      budget,
      recovered,
      head: log.head,
      onBlock: () => undefined,
      onBlockFreed: () => undefined,
      onEvict: () => undefined,
    });
    assert.equal(next.head, log.head);
    assert.equal(next.foldedTo, log.foldedTo);
    assert.deepEqual(
      read(next, next.foldedTo, next.head),
      piece(next.foldedTo, next.head - next.foldedTo),
    );
    next.append(piece(next.head, 50_000));
    assert.deepEqual(
      read(next, next.oldest, next.head),
      piece(next.oldest, next.head - next.oldest),
    );
  }
});
