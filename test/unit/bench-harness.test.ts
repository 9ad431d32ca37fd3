import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alternate,
  atScale,
  compare,
  flowFigures,
  formatCase,
  formatGoal,
  formatNumber,
  formatVerdict,
  jain,
  judge,
  pairRatios,
  parseReport,
  Progress,
  quantile,
  seededRandom,
  shuffled,
  summarize,
  type Row,
} from '../../benchmarks/harness/index.js';
import { DONE, FloodCounter } from '../../benchmarks/programs/flood-counter.js';
import { ControlLines } from '../../benchmarks/programs/sessions/tmux-control.js';

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
    ratios: [
      {
        ...{ group: 'zeros', name: 'one / two', samples: [0.5, 0.6] },
        ...{ better: 'higher', against: 'others', goal: { min: 0.9 } },
      },
    ],
    notes: ['said plainly'],
  });
  assert.match(text, /100 \(90\.0–120\)/);
  assert.match(text, /skipped: not installed/);
  assert.match(text, /one \/ two: 0\.55 \(0\.50–0\.60\) +goal >= 0\.9: missed by 39 %/);
  assert.match(text, /note: said plainly/);
  assert.equal(formatNumber(1234.5), '1235');
  assert.equal(formatNumber(0.0421), '0.04');
});

test('bench - a goal is judged by the median, and says how far off and in how many runs', () => {
  const missed = judge([0.5, 0.6, 1], { min: 0.9 });
  assert.deepEqual([missed.met, missed.bound, missed.runsMet, missed.runs], [false, 0.9, 1, 3]);
  assert.equal(formatVerdict(missed), 'missed by 33 %');
  assert.equal(formatVerdict(judge([1, 1, 3], { max: 1.5 })), 'met, but not in 1 of 3 runs');
  assert.equal(formatVerdict(judge([1, 1, 1], { max: 1.5 })), 'met');
  assert.equal(formatVerdict(judge([33], { max: 1.5 })), 'missed, 22 times it');
  assert.equal(judge([0.5], { min: 1, max: 2 }).bound, 1);
  assert.equal(judge([3], { min: 1, max: 2 }).bound, 2);
  assert.equal(judge([1.9], { min: 1, max: 2 }).met, true);
  assert.equal(formatVerdict(judge([2], { max: 0 })), 'missed by 200 %');
  assert.throws(() => judge([1], {}), RangeError);
  assert.throws(() => judge([], { min: 1 }), RangeError);
  assert.deepEqual(
    [formatGoal({ min: 0.9 }), formatGoal({ max: 1 }), formatGoal({ min: 1, max: 2 })],
    ['>= 0.9', '<= 1', '1 to 2'],
  );
});

test('bench - figures of two rows are compared run by run, and what was skipped is not', () => {
  const row = (subject: string, rate: number[], p99: number[]): Row => ({
    group: 'g',
    subject,
    figures: [
      { name: '', unit: 'MB/s', samples: rate },
      { name: 'p99', unit: 'ms', samples: p99 },
    ],
  });
  const rows: Row[] = [
    row('ours', [10, 40], [1, 3]),
    row('theirs', [5, 10], [2, 2]),
    { group: 'g', subject: 'absent', figures: [], skipped: 'not installed' },
    { ...row('theirs', [20, 20], [4, 4]), group: 'other' },
  ];
  const of = (base: string, more: object = {}) =>
    compare(rows, { group: 'g', ours: 'ours', base, against: 'others', ...more });
  const [rate] = of('theirs');
  assert.deepEqual([rate?.samples, rate?.better, rate?.name], [[2, 4], 'higher', 'ours / theirs']);
  const [p99] = of('theirs', { figure: 'p99 ms', goal: { max: 1 } });
  assert.deepEqual([p99?.samples, p99?.better], [[0.5, 1.5], 'lower']);
  assert.deepEqual(p99?.goal, { max: 1 });
  const [elsewhere] = of('theirs', { baseGroup: 'other' });
  assert.deepEqual(elsewhere?.samples, [0.5, 2]);
  assert.equal(elsewhere?.name, 'ours / theirs (other)');
  assert.deepEqual(of('absent'), []);
  assert.deepEqual(of('theirs', { figure: 'p50 ms' }), []);
});

test('bench - fairness is 1 for equal shares and 1/n if one has all', () => {
  assert.equal(jain([3, 3, 3, 3]), 1);
  assert.equal(jain([8, 0, 0, 0]), 0.25);
  assert.equal(jain([0, 0]), 1);
  assert.throws(() => jain([]), RangeError);
});

test('bench - a flow is shown as rate, CPU of both ends per GB, and memory', () => {
  const [rate, server, client, pss] = flowFigures([
    { bytes: 2e9, seconds: 4, serverCpuSeconds: 6, clientCpuSeconds: 1, serverPssMiB: 50 },
  ]);
  assert.deepEqual(
    [rate?.samples, server?.samples, client?.samples, pss?.samples],
    [[500], [3], [0.5], [50]],
  );
});

test('bench - a scale without a size of its own takes the next', () => {
  const sizes = { tiny: 1, normal: 3 };
  assert.deepEqual(
    (['tiny', 'small', 'normal', 'full'] as const).map((scale) => atScale({ scale }, sizes)),
    [1, 1, 3, 3],
  );
  assert.equal(atScale({ scale: 'small' }, { ...sizes, small: 2 }), 2);
  assert.equal(atScale({ scale: 'full' }, { ...sizes, full: 4 }), 4);
});

test('bench - results of another format are refused', () => {
  assert.throws(() => parseReport('{"format":1,"cases":[]}'), /not a result/);
  assert.equal(parseReport('{"format":2,"cases":[]}').format, 2);
});

const FLOOD = { expected: 1_000, redraws: false };

test('bench - a flood is counted up to its mark, wherever that is cut', async () => {
  const output = Buffer.concat([Buffer.alloc(1_000), Buffer.from(DONE)]);
  for (let cut = 985; cut < output.length; cut += 1) {
    const counter = new FloodCounter(FLOOD);
    counter.data(output.subarray(0, cut));
    counter.data(output.subarray(cut));
    assert.equal((await counter.result).received, 1_000, `cut at ${String(cut)}`);
  }
});

test('bench - a flood that lost bytes ends at its mark, and says so', async () => {
  for (const cut of [1, 4, 9]) {
    const counter = new FloodCounter(FLOOD);
    counter.data(Buffer.alloc(400));
    counter.data(Buffer.from(DONE).subarray(0, cut));
    counter.data(Buffer.from(DONE).subarray(cut));
    assert.equal((await counter.result).received, 400, `cut at ${String(cut)}`);
  }
});

test('bench - of redraws the mark is found anywhere, and what is before it may be anything', async () => {
  const text = 'screen@@ \u001b[3;1H@@done@@\u001b[24;1Hmore';
  for (let cut = 1; cut < text.length; cut += 1) {
    const counter = new FloodCounter({ expected: 1_000, redraws: true });
    counter.data(Buffer.from(text.slice(0, cut)));
    counter.data(Buffer.from(text.slice(cut)));
    await counter.result;
  }
});

test('bench - what is printed is taken out of the lines of tmux in control mode', () => {
  const printed = 'plain\r\n\u001b[1mback\\slash\u0000 end';
  const escaped = printed.replace(
    /[\u0000-\u001f\\]/g,
    (each) => `\\${each.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  const lines = `%begin 1 2 0\n%end 1 2 0\n%output %12 ${escaped}\n%layout-change @1\n%output %12 x\n`;
  for (let cut = 0; cut < lines.length; cut += 1) {
    let text = '';
    const control = new ControlLines((bytes) => {
      text += Buffer.from(bytes).toString('latin1');
    });
    control.push(Buffer.from(lines.slice(0, cut)));
    control.push(Buffer.from(lines.slice(cut)));
    assert.equal(text, `${printed}x`, `cut at ${String(cut)}`);
  }
});
