import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cases } from '../../benchmarks/cases/index.js';
import type { CaseReport, Ratio } from '../../benchmarks/harness/index.js';
import {
  checkRatios,
  parseBaselines,
  updateBaselines,
  WATCHED,
} from '../../benchmarks/quick-check/index.js';

const RATE = 'holdfast / holdfast on main (baseline)';
const CPU = `server CPU s/GB: ${RATE}`;

function report(rate: number, cpu: number, more: Partial<CaseReport> = {}): CaseReport {
  const ratio = (name: string, sample: number, better: Ratio['better']): Ratio => ({
    ...{ group: '64 viewers', name, samples: [sample, sample, 99], better, against: 'ours' },
  });
  return {
    ...{ name: 'fan-out', summary: '', seconds: 1, stolenPercent: 0, settings: {}, rows: [] },
    ratios: [ratio(RATE, rate, 'higher'), ratio(CPU, cpu, 'lower'), ratio('other', 1, 'higher')],
    notes: [],
    ...more,
  };
}

const BASELINES = {
  'fan-out': {
    [`64 viewers: ${RATE}`]: { ratio: 1, tolerance: 2 },
    [`64 viewers: ${CPU}`]: { ratio: 1, tolerance: 2 },
  },
};

test('bench quick - a ratio fails only beyond its tolerance, and only on its bad side', () => {
  const verdicts = (rate: number, cpu: number) =>
    checkRatios([report(rate, cpu)], BASELINES).map(({ verdict }) => verdict);
  assert.deepEqual(verdicts(1, 1), ['as before', 'as before']);
  assert.deepEqual(verdicts(0.51, 1.99), ['as before', 'as before']);
  assert.deepEqual(verdicts(0.49, 2.01), ['worse', 'worse']);
  assert.deepEqual(verdicts(2.01, 0.49), ['better', 'better']);
  const [check] = checkRatios([report(0.4, 1)], BASELINES);
  assert.equal(check?.text, '0.40, baseline 1.00, at least 0.50');
});

test('bench quick - what is new, not measured or failed is said', () => {
  const verdicts = (cases: CaseReport[], baselines: object) =>
    checkRatios(cases, baselines as typeof BASELINES).map(({ verdict }) => verdict);
  assert.deepEqual(verdicts([report(1, 1)], {}), ['new', 'new']);
  assert.deepEqual(verdicts([report(1, 1, { ratios: [] })], BASELINES), [
    'not measured',
    'not measured',
  ]);
  assert.equal(verdicts([report(1, 1, { failed: 'it broke' })], BASELINES)[0], 'failed');
});

test('bench quick - new baselines keep tolerances that were set, and what was not measured', () => {
  const old = {
    'fan-out': {
      [`64 viewers: ${RATE}`]: { ratio: 1, tolerance: 5 },
      'gone: holdfast / gone': { ratio: 3, tolerance: 2 },
    },
    other: { x: { ratio: 1, tolerance: 2 } },
  };
  const { 'fan-out': fanOut, other } = updateBaselines([report(0.12345, 4)], old);
  assert.deepEqual(fanOut?.[`64 viewers: ${RATE}`], { ratio: 0.123, tolerance: 5 });
  assert.deepEqual(fanOut?.['gone: holdfast / gone'], { ratio: 3, tolerance: 2 });
  assert.equal(fanOut?.[`64 viewers: ${CPU}`]?.ratio, 4);
  assert.deepEqual(other, old.other);
});

test('bench quick - the committed baselines are of cases that are run, and can be read', () => {
  const file = new URL('../../../benchmarks/baselines.json', import.meta.url);
  const baselines = parseBaselines(readFileSync(file, 'utf8'));
  assert.deepEqual(Object.keys(baselines).sort(), Object.keys(WATCHED).sort());
  for (const [name, ratios] of Object.entries(baselines)) {
    assert.ok(cases.some((each) => each.name === name));
    assert.ok(Object.keys(ratios).length > 0, `${name} has none`);
  }
  assert.throws(() => parseBaselines('{"a":{"b":{"ratio":1,"tolerance":0.5}}}'));
});
