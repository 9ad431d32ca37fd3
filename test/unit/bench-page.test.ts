import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  goalsMarkdown,
  goalsOf,
  lossesOf,
  type CaseReport,
  type Report,
} from '../../benchmarks/harness/index.js';
import { Estimate } from '../../benchmarks/estimate.js';
import { mergeReports, page } from '../../benchmarks/page/index.js';

const CASE: CaseReport = {
  ...{ name: 'fast', summary: 'how fast', seconds: 3, stolenPercent: 0 },
  settings: { runs: 3 },
  rows: [
    {
      ...{ group: 'g', subject: 'holdfast' },
      figures: [
        { name: '', unit: 'MB/s', samples: [10, 12, 11] },
        { name: 'p99', unit: 'ms', samples: [1, 3, 2], goal: { max: 1 } },
      ],
    },
    {
      ...{ group: 'g', subject: 'theirs <b>' },
      figures: [{ name: '', unit: 'MB/s', samples: [20, 24, 22] }],
    },
    { group: 'g', subject: 'absent', figures: [], skipped: 'not installed' },
  ],
  ratios: [
    {
      ...{ group: 'g', name: 'holdfast / theirs <b>', samples: [0.5, 0.5, 0.5] },
      ...{ better: 'higher', against: 'others', goal: { min: 0.4 } },
    },
    {
      ...{ group: 'g', name: 'holdfast / baseline', samples: [0.1] },
      ...{ better: 'higher', against: 'ours' },
    },
  ],
  notes: ['said plainly'],
};

function reportAt(startedAt: string, cases: readonly CaseReport[]): Report {
  return {
    ...{ format: 2, startedAt, seed: 1, runs: 3, scale: 'normal', cases },
    machine: {
      ...{ cpu: 'cpu', cores: 2, memoryGiB: 4, kernel: 'Linux', distribution: 'Debian' },
      ...{ node: 'v20', holdfast: '1', load: 0, tools: { tmux: 'tmux 3' } },
    },
  };
}

const EARLY = reportAt('2026-01-01T00:00:00Z', [CASE, { ...CASE, name: 'other' }]);
const LATE = reportAt('2026-01-02T00:00:00Z', [{ ...CASE, seconds: 9 }]);

test('bench page - it says what was met, missed, lost, skipped and failed', () => {
  const text = page([{ name: 'a.json', report: reportAt('2026-01-01', [CASE]) }]);
  assert.match(text, /1 of 2<\/b>goals met/);
  assert.match(text, /missed by 100 %/);
  assert.match(text, /2\.0 times worse/);
  assert.match(text, /skipped: not installed/);
  assert.match(text, /said plainly/);
  assert.match(text, /tmux 3/);
  const failed = { ...CASE, rows: [], ratios: [], failed: 'it broke' };
  const broken = page([{ name: 'a.json', report: reportAt('2026-01-01', [failed]) }]);
  assert.match(broken, /Failed:<\/b> it broke/);
  assert.match(broken, /1<\/b>cases failed/);
});

test('bench page - a goal of nothing at all leaves the strips of the others as they are', () => {
  const strips = (cases: readonly CaseReport[]): number => {
    const text = page([{ name: 'a.json', report: reportAt('2026-01-01', cases) }]);
    const goals = /<ul class="goals">.*?<\/ul>/s.exec(text)?.[0] ?? '';
    return goals.split('aria-label="dot"').length - 1;
  };
  const none = { name: 'lost', unit: 'lines', goal: { max: 0 } };
  const rows = [0, 3].map((lost) => ({
    ...{ group: 'g', subject: `holdfast ${String(lost)}` },
    figures: [{ ...none, samples: [lost] }],
  }));
  const before = strips([CASE]);
  assert.ok(before > 0);
  assert.equal(strips([CASE, { ...CASE, name: 'whole', rows, ratios: [] }]), before + 2);
});

test('bench page - it is whole by itself, and what it shows cannot become part of it', () => {
  const text = page([{ name: 'a.json', report: EARLY }]);
  assert.match(text, /<svg /);
  assert.match(text, /prefers-color-scheme: dark/);
  assert.match(text, /theirs &lt;b&gt;/);
  assert.doesNotMatch(text, /theirs <b>/);
  assert.doesNotMatch(text, /<script|<link|<img|https?:\/\/(?!www\.w3\.org\/)|url\(|@import/);
  assert.doesNotMatch(text, /NaN|undefined|\[object/);
});

test('bench page - of several results the newest of each case is shown, whatever their order', () => {
  const sources = [
    { name: 'late.json', report: LATE },
    { name: 'early.json', report: EARLY },
  ];
  assert.deepEqual(
    mergeReports(sources).map(({ source, last }) => [source.name, last.name, last.seconds]),
    [
      ['late.json', 'fast', 9],
      ['early.json', 'other', 3],
    ],
  );
  assert.throws(() => page([]), /needs results/);
});

test('bench page - goals and losses are found, and only those against others are losses', () => {
  assert.deepEqual(
    goalsOf([CASE]).map(({ what, verdict }) => [what, verdict.met]),
    [
      ['holdfast / theirs <b>', true],
      ['holdfast: p99 ms', false],
    ],
  );
  assert.deepEqual(
    lossesOf([CASE]).map(({ ratio, factor }) => [ratio.name, factor]),
    [['holdfast / theirs <b>', 2]],
  );
  assert.match(
    goalsMarkdown([CASE]),
    /^\| `fast` \| g: holdfast: p99 ms \| <= 1 \| 2\.00 \(1\.00–3\.00\) \| missed by 100 % \|$/m,
  );
  assert.equal(goalsMarkdown([]), 'No goal was measured.\n');
});

test('bench - what is left is guessed from what was said, then from what it took', () => {
  const estimate = new Estimate({ scale: 'normal', runs: 5 });
  const left = [{ minutes: 6 }, { minutes: 4 }];
  assert.equal(estimate.minutesFor(left), 10);
  estimate.took({ minutes: 2 }, 240);
  assert.equal(estimate.minutesFor(left), 20);
  assert.equal(new Estimate({ scale: 'normal', runs: 2 }).minutesFor(left), 5);
});
