import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/shared/common/index.js';
import { counts, decidePace } from '../../src/workers/terminal/pace.js';
import { GrowthBudget, OutputLog } from '../../src/workers/terminal/output-log.js';
import { SizeLog } from '../../src/workers/terminal/screen/index.js';
import { TerminalStatus } from '../../src/shared/node/ports/index.js';
import { ViewerSet } from '../../src/workers/terminal/viewer-set.js';
import type { Viewer } from '../../src/workers/terminal/viewer.js';
import { ManualClock } from '../support/manual-clock.js';
import { stubViewer } from '../support/stub-viewer.js';

const NOW = 1_000_000;
const HEAD = 500_000;
const SIZE = { rows: 24, cols: 80 };

const viewer = (state: Partial<Viewer>): Viewer =>
  stubViewer({ cursor: HEAD, acked: HEAD, progressAt: NOW, ...state });

const behind = (bytes: number, state: Partial<Viewer> = {}): Viewer =>
  viewer({ cursor: HEAD - bytes, acked: HEAD - bytes, ...state });

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
  const viewers = [behind(10), behind(9_000), behind(50_000, { mayType: false })];
  assert.deepEqual(decidePace(viewers, 'fastest', HEAD, NOW), { floor: Infinity, lag: 10 });
  assert.deepEqual(decidePace(viewers, 'slowest', HEAD, NOW), { floor: HEAD - 9_000, lag: 9_000 });
  assert.deepEqual(decidePace(viewers, 'free', HEAD, NOW), { floor: Infinity, lag: 0 });
  assert.deepEqual(decidePace([], 'slowest', HEAD, NOW), { floor: Infinity, lag: 0 });
});

test('pace - an ssh session is waited for and loses nothing at any pace', () => {
  for (const pace of ['fastest', 'slowest', 'free'] as const) {
    const decision = decidePace(
      [behind(0), behind(7_000, { alwaysCounts: true })],
      pace,
      HEAD,
      NOW,
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
    const log = new OutputLog({
      ringBytes,
      leadInBytes: 0,
      budget: new GrowthBudget(new SharedArrayBuffer(4)),
      recovered: [],
      head: 0,
      onBlock: () => undefined,
      onBlockFreed: () => undefined,
      onEvict: () => undefined,
    });
    let paused = false;
    const set = new ViewerSet('fastest', {
      log,
      clock: new ManualClock(),
      screen: {
        sizes: new SizeLog(new TerminalStatus()),
        point: () => ({ offset: log.oldest, size: SIZE, sizes: 0 }),
        sizeAt: () => SIZE,
      },
      pauseReading: () => {
        paused = true;
      },
      resumeReading: () => {
        paused = false;
      },
      moved: () => undefined,
    });
    set.add(viewer({ cursor: 0, acked: 0, progressAt: 0, room: 0 }));
    log.append(new Uint8Array(lag));
    set.pump();
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

test('pace - an interrupt skips a viewer that is far behind ahead, and nobody else', () => {
  const log = new OutputLog({
    ringBytes: limits.RING_BYTES,
    leadInBytes: 0,
    budget: new GrowthBudget(new SharedArrayBuffer(4)),
    recovered: [],
    head: 0,
    onBlock: () => undefined,
    onBlockFreed: () => undefined,
    onEvict: () => undefined,
  });
  const set = new ViewerSet('fastest', {
    log,
    clock: new ManualClock(),
    screen: {
      sizes: new SizeLog(new TerminalStatus()),
      point: (from) => ({ offset: from ?? log.oldest, size: SIZE, sizes: 0 }),
      sizeAt: () => SIZE,
    },
    pauseReading: () => undefined,
    resumeReading: () => undefined,
    moved: () => undefined,
  });
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
