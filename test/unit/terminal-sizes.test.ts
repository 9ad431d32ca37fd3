import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SizePolicy } from '../../src/shared/common/wire/index.js';
import { SizeOwner } from '../../src/workers/terminal/size-owner.js';
import { ManualClock } from '../support/manual-clock.js';
import { stubViewer } from '../support/stub-viewer.js';

const BIG = { rows: 50, cols: 100 };
const NARROW = { rows: 60, cols: 70 };

function rig(policy: SizePolicy) {
  const clock = new ManualClock();
  const applied: string[] = [];
  let told = 0;
  const sizes = new SizeOwner({
    size: { rows: 24, cols: 80 },
    policy,
    clock,
    apply: ({ rows, cols }) => applied.push(`${String(rows)}x${String(cols)}`),
    ownerChanged: () => {
      told += 1;
    },
  });
  return {
    sizes,
    clock,
    applied,
    told: () => told,
    /** The size once everything has been applied. */
    settled: () => {
      clock.advance(100);
      return `${String(sizes.size.rows)}x${String(sizes.size.cols)}`;
    },
  };
}

test('sizes - latest takes what was asked last, smallest what fits all, fixed nothing', () => {
  const latest = rig('latest');
  latest.sizes.request(stubViewer(), BIG);
  assert.deepEqual(latest.applied, ['50x100']);
  const smallest = rig('smallest');
  smallest.sizes.request(stubViewer(), BIG);
  smallest.sizes.request(stubViewer(), NARROW);
  assert.equal(smallest.settled(), '50x70');
  assert.equal(smallest.sizes.owner, undefined, 'rows of the one and columns of the other');
  const fixed = rig('fixed');
  fixed.sizes.request(stubViewer(), BIG);
  assert.deepEqual(fixed.applied, []);
  assert.equal(fixed.sizes.owner, undefined);
});

test('sizes - a storm of changes reaches the program sixty times a second, the last one always', () => {
  const { sizes, clock, applied } = rig('latest');
  const viewer = stubViewer();
  for (let step = 1; step <= 1_000; step += 1) {
    sizes.request(viewer, { rows: 24, cols: (step % 900) + 1 });
    clock.advance(1);
  }
  clock.advance(100);
  assert.ok(applied.length <= 64, `${String(applied.length)} changes`);
  assert.equal(applied.at(-1), '24x101');
});

test('sizes - the same size again is not told', () => {
  const { sizes, applied } = rig('latest');
  sizes.request(stubViewer(), { rows: 24, cols: 80 });
  assert.deepEqual(applied, []);
});

test('sizes - when the latest leaves, the one before decides again', () => {
  const { sizes, settled } = rig('latest');
  const [first, second] = [stubViewer(), stubViewer()];
  sizes.request(first, BIG);
  sizes.request(second, NARROW);
  assert.equal(sizes.owner, second);
  assert.equal(settled(), '60x70');
  sizes.left(second);
  assert.equal(sizes.owner, first);
  assert.equal(settled(), '50x100');
  sizes.left(first);
  assert.equal(sizes.owner, undefined);
  assert.equal(settled(), '50x100', 'nobody is there to want another');
});

test('sizes - when the smallest leaves, the others get the room', () => {
  const { sizes, settled } = rig('smallest');
  const [big, small] = [stubViewer(), stubViewer()];
  sizes.request(big, BIG);
  sizes.request(small, { rows: 10, cols: 20 });
  assert.equal(sizes.owner, small);
  assert.equal(settled(), '10x20');
  sizes.left(small);
  assert.equal(sizes.owner, big);
  assert.equal(settled(), '50x100');
});

test('sizes - a claim holds until it is released or its viewer leaves', () => {
  for (const end of ['release', 'leave'] as const) {
    const { sizes, settled } = rig('smallest');
    const [mine, other] = [stubViewer(), stubViewer()];
    sizes.request(mine, BIG);
    sizes.request(other, NARROW);
    sizes.configure(mine, 'mine');
    assert.deepEqual([sizes.policy, sizes.owner], ['mine', mine]);
    assert.equal(settled(), '50x100');
    sizes.request(other, { rows: 5, cols: 5 });
    assert.equal(settled(), '50x100', 'what others ask for does not count');
    sizes.request(mine, { rows: 51, cols: 101 });
    assert.equal(settled(), '51x101');
    if (end === 'release') sizes.release(mine);
    else sizes.left(mine);
    assert.equal(sizes.policy, 'smallest', 'as before the claim');
    assert.equal(settled(), '5x5');
  }
});

test('sizes - a claim yields to nobody but an owner of the workspace', () => {
  const { sizes } = rig('latest');
  const [mine, other, owner] = [stubViewer(), stubViewer(), stubViewer({ isOwner: true })];
  sizes.configure(mine, 'mine');
  const forbidden = { code: 'ERR_FORBIDDEN' };
  assert.throws(() => {
    sizes.configure(other, 'mine');
  }, forbidden);
  assert.throws(() => {
    sizes.configure(other, 'latest');
  }, forbidden);
  assert.throws(() => {
    sizes.release(other);
  }, forbidden);
  assert.equal(sizes.owner, mine);
  sizes.configure(owner, 'mine');
  assert.equal(sizes.owner, owner);
  assert.throws(() => {
    sizes.release(mine);
  }, forbidden);
  sizes.release(owner);
  assert.equal(sizes.policy, 'latest');
});

test('sizes - every change of who decides is told', () => {
  const { sizes, told } = rig('latest');
  const [first, second] = [stubViewer(), stubViewer()];
  sizes.request(first, BIG);
  assert.equal(told(), 1);
  sizes.request(first, NARROW);
  assert.equal(told(), 1, 'the same viewer');
  sizes.request(second, BIG);
  assert.equal(told(), 2);
  sizes.configure(second, 'mine');
  assert.equal(told(), 3, 'the policy');
  sizes.left(first);
  assert.equal(told(), 3);
});
