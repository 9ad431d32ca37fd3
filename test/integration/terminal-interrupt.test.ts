import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLeaks, seededRandom } from '../support/index.js';
import { interruptRun } from '../support/interrupt-run.js';

checkLeaks();

/** Of the link, in bytes per second. */
const SPEED = 100_000;

test('interrupt - Ctrl-C in a flood over a link of 100 KB/s shows the prompt after a few bytes', async (t) => {
  const random = seededRandom();
  const run = await interruptRun({ bytesPerSecond: SPEED, floodMs: 3_000, random });
  t.diagnostic(
    `prompt after ${run.ms.toFixed(0)} ms and ${String(run.bytes)} bytes; ${String(run.skipped)} skipped`,
  );
  assert.ok(run.before > 150_000, `the link was used: ${String(run.before)} bytes`);
  // Some 30 KiB, without the bound 300 KiB and more. What comes while the key is on its way to the program,
  // which is long on a busy machine, is none of the queue.
  const meanwhile = run.keyMs * (SPEED / 1_000);
  assert.ok(
    run.bytes - meanwhile <= 96 * 1024,
    `${String(run.bytes)} bytes in between, the key took ${String(run.keyMs)} ms`,
  );
  assert.ok(run.skipped > 0, 'what was not sent yet is skipped, and said');
});
