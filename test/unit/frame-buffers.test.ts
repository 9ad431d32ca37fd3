import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/shared/common/index.js';
import {
  isFrameBuffer,
  returnFrames,
  takeFrame,
} from '../../src/shared/node/ports/frame-buffers.js';

test('frame buffers - large ones come back, small ones are their own', () => {
  const large = takeFrame(limits.OUTPUT_FRAME_BYTES);
  assert.equal(large.length, limits.OUTPUT_FRAME_BYTES);
  assert.ok(isFrameBuffer(large.buffer));
  returnFrames([large.buffer]);
  assert.equal(takeFrame(20_000).buffer, large.buffer);
  assert.notEqual(takeFrame(20_000).buffer, large.buffer);
  const small = takeFrame(100);
  assert.equal(isFrameBuffer(small.buffer), false);
  assert.ok(small.byteOffset > 0, 'with room for a header of the engine');
});

test('frame buffers - no more are kept than the bound says', () => {
  const bytes = takeFrame(limits.OUTPUT_FRAME_BYTES).buffer.byteLength;
  const given = new Set<ArrayBuffer>();
  const most = Math.ceil(limits.FRAME_POOL_BYTES / bytes) + 8;
  while (given.size < most) given.add(new ArrayBuffer(bytes));
  returnFrames([...given]);
  let kept = 0;
  while (given.has(takeFrame(limits.OUTPUT_FRAME_BYTES).buffer)) kept += 1;
  assert.ok(kept * bytes <= limits.FRAME_POOL_BYTES + bytes, `${String(kept)} were kept`);
  assert.ok(kept > 0);
});
