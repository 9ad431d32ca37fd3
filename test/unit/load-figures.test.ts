import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Latencies, LoadFigures, readProcess, trendOf } from '../../src/main/load/figures/index.js';
import { seededRandom } from '../support/index.js';

test('load figures - latencies have percentiles, to a thousandth', () => {
  const latencies = new Latencies();
  assert.equal(latencies.summary(), undefined);
  for (let ms = 1; ms <= 1_000; ms += 1) latencies.record(ms);
  const { count, p50, p90, p99, max, mean } = latencies.summary()!;
  assert.equal(count, 1_000);
  for (const [is, should] of [
    [p50, 500],
    [p90, 900],
    [p99, 990],
    [max, 1_000],
    [mean, 500.5],
  ] as const)
    assert.ok(Math.abs(is / should - 1) < 0.002, `${is} for ${should}`);
});

test('load figures - no latency is too short or too long to count', () => {
  const latencies = new Latencies();
  for (const ms of [0, -1, 0.0004, 1e9]) latencies.record(ms);
  const { count, p50, max } = latencies.summary()!;
  assert.equal(count, 4);
  assert.equal(p50, 0.001);
  assert.ok(max >= 600_000);
});

test('load figures - a trend is found in noise, and noise is no trend', () => {
  const random = seededRandom();
  const around = (): number => random.next() + random.next() + random.next() - 1.5;
  let covered = 0;
  for (let round = 0; round < 200; round += 1) {
    const points = Array.from({ length: 100 }, (_, index) => ({
      atMs: index * 1_000,
      value: 500 + index * 0.01 + around(),
    }));
    const { perMinute, noise } = trendOf(points)!;
    if (Math.abs(perMinute - 0.6) <= noise) covered += 1;
  }
  // 95 % of the intervals hold the true value; of 200, fewer than 170 would be a miracle.
  assert.ok(covered >= 170, `${covered} of 200`);
});

test('load figures - what goes up and down as a whole is noise, not a trend', () => {
  const random = seededRandom();
  let covered = 0;
  for (let round = 0; round < 200; round += 1) {
    let value = 0;
    const points = Array.from({ length: 200 }, (_, index) => {
      value = 0.8 * value + random.next() - 0.5;
      return { atMs: index * 1_000, value };
    });
    const { perMinute, noise } = trendOf(points)!;
    if (Math.abs(perMinute) <= noise) covered += 1;
  }
  assert.ok(covered >= 160, `${covered} of 200`);
});

test('load figures - a line without noise, and too few points for one', () => {
  const points = [0, 1, 2, 3, 4, 5].map((at) => ({ atMs: at * 60_000, value: 10 + 3 * at }));
  const { perMinute, noise } = trendOf(points)!;
  assert.ok(Math.abs(perMinute - 3) < 1e-9);
  assert.ok(noise < 1e-9);
  assert.equal(trendOf(points.slice(1)), undefined);
  assert.equal(trendOf(points.map((point) => ({ ...point, atMs: 5 }))), undefined);
});

test('load figures - faults are counted for ever and told of for a while', () => {
  const figures = new LoadFigures();
  assert.equal(figures.isFaulty, false);
  for (let fault = 0; fault < 1_000; fault += 1) figures.fault('lostBytes', 2, `fault ${fault}`);
  assert.equal(figures.faults.lostBytes, 2_000);
  assert.equal(figures.isFaulty, true);
  assert.equal(figures.samples[0], 'fault 0');
  assert.ok(figures.samples.length < 20);
  figures.error('ERR_PEER_LIMIT', 'first');
  figures.error('ERR_PEER_LIMIT', 'second');
  assert.deepEqual([...figures.errors], [['ERR_PEER_LIMIT', { count: 2, example: 'first' }]]);
});

test('load figures - of a process of this machine', { skip: process.platform !== 'linux' }, () => {
  const { pssBytes, fds, threads, cpuSeconds } = readProcess(process.pid)!;
  assert.ok(pssBytes > 10e6 && pssBytes < 10e9);
  assert.ok(fds > 2 && threads > 1 && cpuSeconds > 0);
  assert.equal(readProcess(0), undefined);
});
