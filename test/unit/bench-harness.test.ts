import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alternate,
  formatCase,
  formatNumber,
  pairRatios,
  Progress,
  quantile,
  seededRandom,
  shuffled,
  summarize,
} from '../../benchmarks/harness/index.js';
import { FloodCounter } from '../../benchmarks/programs/flood-counter.js';

test('bench - median and spread', () => {
  assert.deepEqual(summarize([3, 1, 2]), { median: 2, min: 1, max: 3, count: 3 });
  assert.deepEqual(summarize([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4, count: 4 });
  assert.throws(() => summarize([]), RangeError);
});

test('bench - quantiles interpolate and do not sort their input', () => {
  const samples = Array.from({ length: 101 }, (_, index) => 100 - index);
  assert.equal(quantile(samples, 0.99), 99);
  assert.equal(quantile(samples, 0), 0);
  assert.equal(quantile(samples, 1), 100);
  assert.equal(samples[0], 100);
  assert.equal(quantile([7], 0.99), 7);
});

test('bench - ratios pair runs that were neighbours in time', () => {
  assert.deepEqual(pairRatios([10, 40], [5, 10, 1]), [2, 4]);
  assert.deepEqual(pairRatios([], []), []);
});

test('bench - one seed gives one sequence, and shuffling loses nothing', () => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 20 }, random);
  };
  assert.deepEqual(draw(5), draw(5));
  assert.notDeepEqual(draw(5), draw(6));
  assert.ok(draw(0).every((value) => value >= 0 && value < 1));
  const items = [1, 2, 3, 4, 5];
  const order = shuffled(items, seededRandom(9));
  assert.deepEqual([...order].sort(), items);
});

test('bench - each round measures all subjects, and the warm-up is dropped', async () => {
  const order: string[] = [];
  const subject = (name: string) => ({
    name,
    measure: () => {
      order.push(name);
      return Promise.resolve(order.length);
    },
  });
  const results = await alternate(
    [subject('a'), subject('b')],
    { runs: 3, random: seededRandom(1), progress: new Progress() },
    'test',
  );
  assert.equal(order.length, 8);
  for (let round = 0; round < 4; round += 1) {
    assert.deepEqual(order.slice(round * 2, round * 2 + 2).sort(), ['a', 'b']);
  }
  assert.equal(results.get('a')?.length, 3);
  assert.equal(results.get('b')?.length, 3);
});

test('bench - the table shows units, spread, ratios, goals and what was skipped', () => {
  const text = formatCase('case', {
    settings: { runs: 3 },
    rows: [
      {
        group: 'zeros',
        subject: 'one',
        figures: [{ name: '', unit: 'MB/s', samples: [100, 90, 120] }],
      },
      { group: 'zeros', subject: 'two', figures: [], skipped: 'not installed' },
    ],
    ratios: [{ group: 'zeros', name: 'one / two', samples: [0.5, 0.6], goal: '>= 0.9' }],
    notes: ['said plainly'],
  });
  assert.match(text, /100 \(90\.0–120\)/);
  assert.match(text, /skipped: not installed/);
  assert.match(text, /one \/ two: 0\.55 \(0\.50–0\.60\) +goal >= 0\.9/);
  assert.match(text, /note: said plainly/);
  assert.equal(formatNumber(1234.5), '1235');
  assert.equal(formatNumber(0.0421), '0.04');
});

test('bench - a flood is counted up to its mark, wherever that is cut', async () => {
  const output = Buffer.concat([Buffer.alloc(1_000), Buffer.from('@@done@@')]);
  for (let cut = 990; cut < output.length; cut += 1) {
    const counter = new FloodCounter(1_000);
    counter.data(output.subarray(0, cut));
    counter.data(output.subarray(cut));
    assert.equal((await counter.result).received, 1_000, `cut at ${String(cut)}`);
  }
});

test('bench - a flood that lost bytes ends at its mark, and says so', async () => {
  const counter = new FloodCounter(1_000);
  counter.data(Buffer.alloc(400));
  counter.data(Buffer.from('@@done@@'));
  assert.equal((await counter.result).received, 400);
});
