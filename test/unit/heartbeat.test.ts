import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/shared/common/index.js';
import { Heartbeat } from '../../src/shared/common/framing/index.js';
import { ManualClock } from '../support/manual-clock.js';

function rig() {
  const clock = new ManualClock();
  const seen = { pings: 0, lost: 0 };
  const heartbeat = new Heartbeat({
    clock,
    ping: () => (seen.pings += 1),
    lost: () => (seen.lost += 1),
  });
  return { clock, seen, heartbeat };
}

test('heartbeat - a probe that nobody answers ends it at once, after several pings', () => {
  const { clock, seen, heartbeat } = rig();
  heartbeat.start();
  heartbeat.probe();
  heartbeat.probe();
  assert.equal(seen.pings, 1, 'one probe at a time');
  clock.advance(limits.PROBE_MS - 1);
  assert.deepEqual(seen, { pings: 3, lost: 0 });
  clock.advance(1);
  assert.equal(seen.lost, 1);
  clock.advance(10 * limits.HEARTBEAT_MS);
  assert.deepEqual(seen, { pings: 3, lost: 1 });
  assert.equal(clock.pending, 0);
});

test('heartbeat - a late answer ends the probe, and the next one is another', () => {
  const { clock, seen, heartbeat } = rig();
  heartbeat.start();
  heartbeat.probe();
  clock.advance(limits.PROBE_MS - 1);
  heartbeat.heard();
  clock.advance(1);
  assert.equal(seen.lost, 0);
  heartbeat.probe();
  clock.advance(limits.PROBE_MS);
  assert.equal(seen.lost, 1);
});

test('heartbeat - the last words of whoever was killed do not end the probe, they only count as its begin', () => {
  const { clock, seen, heartbeat } = rig();
  heartbeat.start();
  heartbeat.probe();
  clock.advance(limits.PROBE_MS / 3 - 1);
  heartbeat.heard();
  clock.advance(1);
  assert.deepEqual(seen, { pings: 2, lost: 0 });
  clock.advance(limits.PROBE_MS - 1);
  assert.equal(seen.lost, 0);
  clock.advance(1);
  assert.equal(seen.lost, 1);
});

test('heartbeat - who answers the second ping of a probe is there', () => {
  const { clock, seen, heartbeat } = rig();
  heartbeat.start();
  heartbeat.probe();
  heartbeat.heard();
  clock.advance(limits.PROBE_MS / 3);
  heartbeat.heard();
  clock.advance(limits.HEARTBEAT_MS - limits.PROBE_MS / 3 - 1);
  assert.deepEqual(seen, { pings: 2, lost: 0 });
});

test('heartbeat - what is not running is not probed, and what is stopped ends its probe', () => {
  const { clock, seen, heartbeat } = rig();
  heartbeat.probe();
  clock.advance(limits.PROBE_MS);
  heartbeat.start();
  heartbeat.probe();
  heartbeat.stop();
  clock.advance(10 * limits.HEARTBEAT_MS);
  assert.deepEqual(seen, { pings: 1, lost: 0 });
  assert.equal(clock.pending, 0);
});
