import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TerminalStatus } from '../../src/shared/node/ports/index.js';
import { SizeLog } from '../../src/workers/terminal/screen/index.js';

const FIRST = { rows: 24, cols: 80 };
const size = (cols: number) => ({ rows: 24, cols });

// A viewer from before the first change was given the size of the checkpoint, which lay beyond that change.
test('size log - one from before the first change has the first size, whatever the checkpoint has', () => {
  const sizes = new SizeLog(new TerminalStatus(), FIRST);
  sizes.push({ offset: 100, size: size(23) });
  const checkpoint = { offset: 100, size: size(23), sizes: 1 };
  assert.deepEqual(sizes.pointAt(50, checkpoint), { offset: 50, size: FIRST, sizes: 0 });
  assert.deepEqual(sizes.pointAt(100, checkpoint), { offset: 100, size: size(23), sizes: 1 });
});

test('size log - one that missed a change that is not kept any more cannot go on', () => {
  const sizes = new SizeLog(new TerminalStatus(), FIRST);
  const changes = sizes.slots + 3;
  for (let number = 0; number < changes; number += 1)
    sizes.push({ offset: 10 * (number + 1), size: size(100 + number) });
  const oldest = 10 * (sizes.oldest + 1);
  assert.equal(sizes.pointAt(oldest - 5), undefined);
  assert.equal(sizes.pointAt(5, { offset: 30, size: size(102), sizes: 3 }), undefined);
  assert.deepEqual(sizes.pointAt(oldest)?.size, size(100 + sizes.oldest));
  // All that came before is in the checkpoint.
  const checkpoint = { offset: oldest - 10, size: size(99 + sizes.oldest), sizes: sizes.oldest };
  assert.deepEqual(sizes.pointAt(oldest - 5, checkpoint), { ...checkpoint, offset: oldest - 5 });
});
