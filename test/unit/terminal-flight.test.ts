import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/shared/common/index.js';
import { Flight } from '../../src/workers/terminal/flight.js';
import { seededRandom } from '../support/index.js';

interface LinkOptions {
  /** Bytes per millisecond. */
  readonly rate: number;
  readonly delayMs: number;
  /** Acknowledgements go out together after this long, as the client library does. */
  readonly ackMs: number;
  readonly ms: number;
}

/** A flood over one link, in steps of 1 ms. Returns what arrived and how much was under way at each step. */
function flood(flight: Flight, { rate, delayMs, ackMs, ms }: LinkOptions, start = 0) {
  const queue: { end: number; bytes: number }[] = [];
  const acks: { at: number; offset: number }[] = [];
  const frames: number[] = [];
  const under: number[] = [];
  let cursor = 0;
  let processed = 0;
  let credit = 0;
  let lastAck = 0;
  for (let now = 0; now < ms; now += 1) {
    const room = (): number => Math.min(flight.room, limits.TERMINAL_WINDOW_BYTES - flight.bytes);
    while (room() > 0) {
      const bytes = Math.min(room(), flight.frameBytes);
      cursor += bytes;
      frames.push(bytes);
      queue.push({ end: cursor, bytes });
      flight.sent(bytes, cursor, start + now, true);
    }
    credit = Math.min(credit + rate, queue.length === 0 ? 0 : Number.POSITIVE_INFINITY);
    for (let first = queue[0]; first !== undefined && credit >= first.bytes; first = queue[0]) {
      credit -= first.bytes;
      processed = first.end;
      queue.shift();
    }
    if (processed > lastAck && now % ackMs === 0) {
      acks.push({ at: now + delayMs, offset: processed });
      lastAck = processed;
    }
    while (acks[0] !== undefined && acks[0].at <= now) {
      flight.acked(acks[0].offset, start + now);
      acks.shift();
    }
    under.push(flight.bytes);
  }
  return { arrived: processed, under, frames };
}

test('flight - on a slow link little is under way, and the link is never idle', () => {
  for (const delayMs of [5, 50, 200]) {
    const { arrived, under, frames } = flood(new Flight(), {
      rate: 100,
      delayMs,
      ackMs: 50,
      ms: 30_000,
    });
    const later = under.slice(5_000);
    const most = Math.max(...later);
    // 150 ms of queue, what is on its way on the link itself, and what waits for the next acknowledgement.
    assert.ok(
      most <= 100 * (150 + delayMs + 250),
      `${String(most)} under way at ${String(delayMs)} ms`,
    );
    assert.ok(arrived > 100 * 30_000 * 0.9, `${String(arrived)} arrived at ${String(delayMs)} ms`);
    assert.ok(Math.max(...frames) <= limits.SLOW_FRAME_BYTES);
  }
});

test('flight - a fast link is kept full, from the smallest start', () => {
  const flight = new Flight();
  flight.sent(10, 10, 0, true);
  flight.acked(10, 60);
  assert.equal(flight.bound, limits.FLIGHT_MIN_BYTES);
  const { arrived, frames } = flood(
    flight,
    { rate: 8_000, delayMs: 10, ackMs: 10, ms: 3_000 },
    100,
  );
  assert.ok(arrived > 8_000 * 3_000 * 0.8, `${String(arrived)} arrived`);
  assert.equal(Math.max(...frames), limits.OUTPUT_FRAME_BYTES);
});

test('flight - follows a link that becomes slower, and one that becomes faster', () => {
  const flight = new Flight();
  flood(flight, { rate: 5_000, delayMs: 20, ackMs: 20, ms: 2_000 });
  flight.acked(Number.MAX_SAFE_INTEGER, 2_100);
  const slow = flood(flight, { rate: 50, delayMs: 20, ackMs: 50, ms: 40_000 }, 3_000);
  assert.ok(Math.max(...slow.under.slice(10_000)) < 50 * 700, 'little is under way after a while');
  flight.acked(Number.MAX_SAFE_INTEGER, 43_900);
  const fast = flood(flight, { rate: 5_000, delayMs: 20, ackMs: 20, ms: 5_000 }, 44_000);
  assert.ok(fast.arrived > 5_000 * 5_000 * 0.7, `${String(fast.arrived)} arrived`);
});

test('flight - what is acknowledged in any pieces adds up, also across gaps', () => {
  const random = seededRandom();
  const flight = new Flight();
  let end = 0;
  let acked = 0;
  let now = 0;
  for (let step = 0; step < 5_000; step += 1) {
    now += random.int(0, 19);
    if (random.int(0, 1) === 0) {
      if (random.int(0, 9) === 0) end += random.int(0, 50_000);
      const bytes = random.int(1, 5_000);
      end += bytes;
      flight.sent(bytes, end, now, random.int(0, 1) === 0);
    } else {
      acked += random.int(0, end - acked);
      flight.acked(acked, now);
    }
    assert.ok(flight.bytes >= 0 && flight.bytes <= end - acked);
    assert.ok(flight.bound >= limits.FLIGHT_MIN_BYTES / 2);
  }
  flight.acked(end, now);
  assert.equal(flight.bytes, 0);
});
