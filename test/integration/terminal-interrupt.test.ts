import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLeaks, seededRandom } from '../support/index.js';
import { interruptRun } from '../support/interrupt-run.js';

checkLeaks();

test('interrupt - Ctrl-C in a flood over a link of 100 KB/s shows the prompt after a few bytes', async (t) => {
  const random = seededRandom();
  const run = await interruptRun({ bytesPerSecond: 100_000, floodMs: 3_000, random });
  t.diagnostic(
    `prompt after ${run.ms.toFixed(0)} ms and ${String(run.bytes)} bytes; ${String(run.skipped)} skipped`,
  );
  assert.ok(run.before > 150_000, `the link was used: ${String(run.before)} bytes`);
  // Some 30 KiB on a machine with nothing else to do, and without the bound 300 KiB and more.
  assert.ok(run.bytes <= 96 * 1024, `${String(run.bytes)} bytes in between`);
  assert.ok(run.skipped > 0, 'what was not sent yet is skipped, and said');
});

test('interrupt - on a fast link nothing is skipped', async (t) => {
  const run = await interruptRun({ floodMs: 500, random: seededRandom() });
  t.diagnostic(`prompt after ${run.ms.toFixed(0)} ms and ${String(run.bytes)} bytes`);
  assert.equal(run.skipped, 0);
});
