import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crowdRun } from '../support/crowd-run.js';
import { percentile } from '../support/exit-runs.js';
import { checkLeaks, seededRandom } from '../support/index.js';

checkLeaks();

test('crowd - viewers whose connections are cut again and again miss no line and see none twice', async (t) => {
  const random = seededRandom();
  const run = await crowdRun({
    terminals: 4,
    connections: 15,
    seconds: 4,
    cutEveryMs: 600,
    random,
  });
  const ms = (share: number): string => percentile(run.catchUpMs, share).toFixed(0);
  t.diagnostic(
    `${String(run.drops)} drops of ${String(run.viewers)} viewers, ${String(run.lines)} lines; ` +
      `caught up after p50 ${ms(0.5)} ms, p95 ${ms(0.95)} ms`,
  );
  assert.ok(run.drops > 0);
  assert.deepEqual(
    { missing: run.missing, duplicates: run.duplicates, statedGaps: run.statedGaps },
    { missing: 0, duplicates: 0, statedGaps: 0 },
  );
});
