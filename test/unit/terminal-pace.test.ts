import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/shared/common/index.js';
import { counts, decidePace, whoHoldsUp } from '../../src/workers/terminal/pace.js';
import { Patience } from '../../src/workers/terminal/patience.js';
import { GrowthBudget, OutputLog } from '../../src/workers/terminal/output-log.js';
import { SizeLog } from '../../src/workers/terminal/screen/index.js';
import { TerminalStatus } from '../../src/shared/node/ports/index.js';
import { ViewerSet } from '../../src/workers/terminal/viewer-set.js';
import type { Viewer } from '../../src/workers/terminal/viewer.js';
import { ManualClock } from '../support/manual-clock.js';
import type { Pace } from '../../src/shared/common/wire/index.js';
import { EventLog } from '../../src/workers/terminal/shell/index.js';
import { stubViewer } from '../support/stub-viewer.js';

const NOW = 1_000_000;
const HEAD = 500_000;
const SIZE = { rows: 24, cols: 80 };

const viewer = (state: Partial<Viewer>): Viewer =>
  stubViewer({ cursor: HEAD, acked: HEAD, progressAt: NOW, ...state });

const behind = (bytes: number, state: Partial<Viewer> = {}): Viewer =>
  viewer({ cursor: HEAD - bytes, acked: HEAD - bytes, ...state });

/** A log that nobody outlives; it may grow by `growthBytes`. */
function outputLog({
  ringBytes = limits.RING_BYTES,
  growthBytes = 0,
}: { readonly ringBytes?: number; readonly growthBytes?: number } = {}): OutputLog {
  const budget = new SharedArrayBuffer(4);
  new Int32Array(budget)[0] = growthBytes;
  return new OutputLog({
    ringBytes,
    leadInBytes: 0,
    budget: new GrowthBudget(budget),
    recovered: [],
    head: 0,
    onBlock: () => undefined,
    onBlockFreed: () => undefined,
    onEvict: () => undefined,
  });
}

/** Viewers of `log` at the default pace, with a screen wherever one is asked for. `paused`: reading waits, or not. */
function viewerSet({
  log,
  clock = new ManualClock(),
  awaitsFirst = false,
  paused = () => undefined,
}: {
  readonly log: OutputLog;
  readonly clock?: ManualClock;
  readonly awaitsFirst?: boolean;
  readonly paused?: (is: boolean) => void;
}): ViewerSet {
  return new ViewerSet('fastest', {
    log,
    clock,
    awaitsFirst,
    screen: {
      sizes: new SizeLog(new TerminalStatus(), SIZE),
      point: (from) => ({ offset: from ?? log.oldest, size: SIZE, sizes: 0 }),
      resumePoint: (offset) => ({ offset, size: SIZE, sizes: 0 }),
    },
    pauseReading: () => {
      paused(true);
    },
    resumeReading: () => {
      paused(false);
    },
    events: new EventLog(),
    moved: () => undefined,
  });
}

test('pace - a viewer counts while it may type and acknowledged something lately', () => {
  const late = NOW - limits.VIEWER_COUNTS_MS - 1;
  assert.equal(counts(viewer({}), HEAD, NOW), true);
  assert.equal(counts(viewer({ progressAt: late }), HEAD, NOW), true, 'it has everything');
  assert.equal(counts(behind(1), HEAD, NOW), true);
  assert.equal(counts(behind(1, { progressAt: late }), HEAD, NOW), false, 'a closed laptop');
  assert.equal(counts(behind(1, { mayType: false }), HEAD, NOW), false, 'a guest');
  assert.equal(counts(behind(1, { alwaysCounts: true, progressAt: late }), HEAD, NOW), true, 'ssh');
  assert.equal(counts(viewer({ ready: false }), HEAD, NOW), false, 'not attached yet');
});

test('pace - fastest waits for the quickest, slowest for all, free for none', () => {
  const slow = behind(9_000);
  const viewers = [behind(10), slow, behind(50_000, { mayType: false })];
  const decide = (pace: Pace, worth = (each: Viewer): boolean => each !== slow): unknown =>
    decidePace(viewers, pace, HEAD, NOW, worth);
  assert.deepEqual(decide('fastest'), { floor: HEAD - 10, lag: 10 });
  assert.deepEqual(
    decide('fastest', () => false),
    { floor: Infinity, lag: 10 },
  );
  assert.deepEqual(
    decide('fastest', () => true),
    { floor: HEAD - 9_000, lag: 9_000 },
  );
  assert.deepEqual(decide('slowest'), { floor: HEAD - 9_000, lag: 9_000 });
  assert.deepEqual(decide('free'), { floor: Infinity, lag: 0 });
  assert.deepEqual(
    decidePace([], 'slowest', HEAD, NOW, () => true),
    { floor: Infinity, lag: 0 },
  );
});

test('pace - whoever has everything idles for those who are far behind', () => {
  const [ready, far, ssh] = [behind(0), behind(9_000), behind(9_000, { alwaysCounts: true })];
  const guest = behind(9_000, { mayType: false });
  assert.deepEqual(whoHoldsUp([ready, far, ssh, guest], 9_000, HEAD, NOW), [far]);
  assert.deepEqual(whoHoldsUp([ready, far], 9_001, HEAD, NOW), [], 'not far');
  assert.deepEqual(whoHoldsUp([behind(1), far], 9_000, HEAD, NOW), [], 'nobody idles');
});

test('pace - one that stands still is waited for once for a moment, later ever more rarely', () => {
  const patience = new Patience();
  const stopped = behind(50_000);
  let now = NOW;
  const worth = (): boolean => patience.isWorthWaiting(stopped, HEAD, now);
  let retryMs = limits.PATIENCE_RETRY_MS;
  for (let round = 0; round < 8; round += 1) {
    patience.charge([stopped], now);
    now += limits.PATIENCE_MS - 1;
    patience.charge([stopped], now);
    assert.ok(worth(), 'for so long');
    now += 1;
    patience.charge([], now);
    assert.ok(!worth(), 'and no longer');
    now += retryMs - 1;
    assert.ok(!worth());
    now += 1;
    assert.ok(worth(), 'tried again');
    retryMs = Math.min(limits.PATIENCE_RETRY_MAX_MS, retryMs * 2);
  }
});

test('pace - one that has caught up is waited for at once', () => {
  const patience = new Patience();
  const slow = behind(50_000);
  patience.charge([slow], NOW);
  patience.charge([], NOW + limits.PATIENCE_MS);
  const now = NOW + limits.PATIENCE_MS + 1;
  assert.ok(!patience.isWorthWaiting(slow, HEAD, now));
  assert.ok(patience.isWorthWaiting(slow, slow.acked, now));
  assert.ok(patience.isWorthWaiting(slow, HEAD, now), 'all is forgiven');
});

test('pace - one that others idle for three quarters of the time is waited for, for more it is not', () => {
  for (const [idleMs, busyMs, isKept] of [
    [74, 26, true],
    [77, 23, false],
  ] as const) {
    const patience = new Patience();
    const slow = behind(50_000);
    let now = NOW;
    let kept = true;
    for (let round = 0; kept && round < 1_000; round += 1) {
      patience.charge([slow], now);
      now += idleMs;
      patience.charge([], now);
      kept = patience.isWorthWaiting(slow, HEAD, now);
      now += busyMs;
    }
    assert.equal(kept, isKept);
  }
});

test('pace - an ssh session is waited for and loses nothing at any pace', () => {
  for (const pace of ['fastest', 'slowest', 'free'] as const) {
    const decision = decidePace(
      [behind(0), behind(7_000, { alwaysCounts: true })],
      pace,
      HEAD,
      NOW,
      () => true,
    );
    assert.deepEqual(decision, { floor: HEAD - 7_000, lag: 7_000 });
  }
});

test('pace - reading stops before the only viewer falls out of the ring', () => {
  // However far behind it was when output was last offered to it.
  for (const [ringBytes, lag] of [
    [limits.RING_BYTES, 0],
    [limits.RING_BYTES, 1_000],
    [limits.RING_BYTES, 20_000],
    [limits.RING_BYTES, 32_767],
    [limits.RING_MIN_BYTES, 0],
    [limits.RING_MIN_BYTES, 8_000],
    [limits.RING_MAX_BYTES, 32_000],
  ] as const) {
    const log = outputLog({ ringBytes });
    let paused = false;
    const set = viewerSet({
      log,
      paused: (is) => {
        paused = is;
      },
    });
    set.add(viewer({ cursor: 0, acked: 0, progressAt: 0, room: 0 }));
    log.append(new Uint8Array(lag));
    set.outputAdded();
    for (let reads = 0; !paused && reads < 100; reads += 1) {
      log.append(new Uint8Array(limits.PTY_READ_SLAB_BYTES - 1));
      set.outputAdded();
    }
    assert.ok(paused, 'somebody who counts takes nothing');
    assert.equal(
      log.foldedTo,
      0,
      `ring ${String(ringBytes)}, lag ${String(lag)}: nothing is lost to it`,
    );
    set.close();
  }
});

test('pace - nothing leaves the ring before the viewer that is awaited has come, or its time is over', () => {
  // The first 64 KiB of a program were gone when the viewer that had sent for it attached.
  for (const comes of [true, false]) {
    const log = outputLog({ growthBytes: limits.MIB });
    const clock = new ManualClock();
    let paused = false;
    const set = viewerSet({
      log,
      clock,
      awaitsFirst: true,
      paused: (is) => {
        paused = is;
      },
    });
    for (let reads = 0; !paused && reads < 100; reads += 1) {
      log.append(new Uint8Array(limits.PTY_BATCH_BYTES));
      set.outputAdded();
    }
    assert.ok(paused);
    // What was under way, and what is read at an exit.
    log.append(new Uint8Array(2 * limits.RING_BYTES));
    set.outputAdded();
    assert.equal(log.oldest, 0);
    if (comes) {
      const first = viewer({ cursor: log.head, acked: log.head, progressAt: 0 });
      set.add(first);
      set.progressed(first);
    } else {
      clock.advance(limits.ATTACH_MS + 1_000);
    }
    assert.equal(paused, false);
    log.append(new Uint8Array(2 * limits.RING_BYTES));
    set.outputAdded();
    assert.ok(log.oldest > 0, 'and the ring is what it was');
    set.close();
  }
});

test('pace - an interrupt skips a viewer that is far behind ahead, and nobody else', () => {
  const log = outputLog();
  const set = viewerSet({ log });
  log.append(new Uint8Array(30_000));
  const skips = (state: Partial<Viewer>): number[] => {
    const gaps: number[] = [];
    const each = viewer({
      cursor: 0,
      acked: 0,
      room: 0,
      sendGap: ({ offset }) => gaps.push(offset),
      ...state,
    });
    set.add(each);
    set.interrupted(each);
    return gaps;
  };
  const late = { backlogMs: () => limits.INTERRUPT_BEHIND_MS + 1 };
  const kept = 30_000 - limits.INTERRUPT_KEPT_BYTES;
  assert.deepEqual(skips(late), [kept]);
  assert.deepEqual(skips({ backlogMs: () => limits.INTERRUPT_BEHIND_MS }), [], 'not far behind');
  assert.deepEqual(skips({ backlogMs: () => undefined }), [], 'an SSH session');
  assert.deepEqual(skips({ ...late, cursor: kept }), [], 'it lacks next to nothing');
  assert.deepEqual(skips({ ...late, ready: false }), [], 'not attached yet');
});
