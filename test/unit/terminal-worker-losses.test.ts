import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkerLosses } from '../../src/main/agent/terminals/worker-losses.js';
import { limits } from '../../src/shared/common/index.js';

test('worker losses - who kills each worker is given up, who was beside it goes on', () => {
  const cause = new WorkerLosses();
  const beside = new WorkerLosses();
  for (let death = 1; death <= limits.ADOPT_TRIES; death += 1) {
    assert.equal(cause.add(true, death), false);
    assert.equal(beside.add(false, death), false);
  }
  assert.equal(beside.add(false, 10), false);
  assert.equal(cause.add(true, 10), true);
});

test('worker losses - without a culprit all are given up in the end, and old losses are forgotten', () => {
  const losses = new WorkerLosses();
  for (let death = 1; death <= 4 * limits.ADOPT_TRIES; death += 1) {
    assert.equal(losses.add(false, death), false);
  }
  assert.equal(losses.count, 4 * limits.ADOPT_TRIES);
  assert.equal(losses.add(true, 70_000), false, 'a minute later');
  assert.equal(losses.count, 1);
});

test('worker losses - a terminal that was never the cause is given up as well if it goes on and on', () => {
  const losses = new WorkerLosses();
  let deaths = 1;
  while (!losses.add(false, deaths)) deaths += 1;
  assert.equal(deaths, 4 * limits.ADOPT_TRIES + 1);
});
