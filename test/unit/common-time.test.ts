import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Backoff,
  deferred,
  once,
  sleep,
  systemClock,
  type Clock,
} from '../../src/shared/common/index.js';

/** A clock that tests move by hand. */
function manualClock(): Clock & { advance(ms: number): void; pending(): number } {
  let now = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => now,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    advance(ms) {
      now += ms;
      for (const timer of [...timers]) {
        if (timer.at > now) continue;
        timers.delete(timer);
        timer.callback();
      }
    },
    pending: () => timers.size,
  };
}

test('back-off - doubles from the floor to the ceiling', () => {
  const longest = new Backoff({ minMs: 50, maxMs: 10_000, random: () => 0.999_999_999 });
  const delays = Array.from({ length: 12 }, () => Math.round(longest.next()));
  assert.deepEqual(delays, [50, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000, 10000]);
});

test('back-off - jitter takes up to half away, never below the floor', () => {
  const shortest = new Backoff({ minMs: 50, maxMs: 10_000, random: () => 0 });
  const delays = Array.from({ length: 10 }, () => shortest.next());
  assert.deepEqual(delays, [50, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
});

test('back-off - starts over after a reset, and never overflows', () => {
  const backoff = new Backoff({ minMs: 50, maxMs: 10_000, random: () => 0.5 });
  for (let attempt = 0; attempt < 5_000; attempt += 1) assert.ok(backoff.next() <= 10_000);
  backoff.reset();
  assert.equal(backoff.next(), 50);
});

test('clock - sleep resolves when its time has come, not before', async () => {
  const clock = manualClock();
  let woke = false;
  const sleeping = sleep(100, undefined, clock).then(() => (woke = true));
  clock.advance(99);
  await Promise.resolve();
  assert.equal(woke, false);
  clock.advance(1);
  await sleeping;
  assert.equal(woke, true);
});

test('clock - an abort ends sleep at once and leaves no timer', async () => {
  const clock = manualClock();
  const abort = new AbortController();
  const sleeping = sleep(100, abort.signal, clock);
  abort.abort();
  await assert.rejects(sleeping, { code: 'ERR_CLOSED' });
  assert.equal(clock.pending(), 0);
  await assert.rejects(sleep(100, abort.signal, clock), { code: 'ERR_CLOSED' });
  assert.equal(clock.pending(), 0);
});

test('clock - the real one is monotonic and its timers can be called off', async () => {
  const before = systemClock.now();
  systemClock.after(1, () => assert.fail('called off')).cancel();
  await sleep(5);
  assert.ok(systemClock.now() > before);
});

test('lifecycle - close runs once, and everybody waits for the same end', async () => {
  let runs = 0;
  const gate = deferred<void>();
  const close = once(async () => {
    runs += 1;
    await gate.promise;
  });
  const first = close();
  assert.equal(close(), first);
  gate.resolve();
  await first;
  await close();
  assert.equal(runs, 1);
});
