import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { serveSftp } from '../../src/main/agent/sftp/index.js';
import { checkLeaks, runProgram } from '../support/index.js';
import { SshHarness } from '../support/ssh-harness.js';

checkLeaks();

let harness: SshHarness;

before(async () => {
  harness = await new SshHarness({ server: { serveSftp } }).start();
});

after(async () => {
  await harness.close();
});

test('ssh sftp - lineage 18: scp lands in the directory of the metadata and ends with status 0', async () => {
  const data = randomBytes(5_000_000);
  writeFileSync(join(harness.dir, 'here'), data);
  const config = join(harness.dir, 'config');
  const up = await runProgram('scp', ['-F', config, join(harness.dir, 'here'), 'agent:there']);
  assert.equal(up.status, 0, JSON.stringify(up));
  assertSame(readFileSync(join(harness.dir, 'there')), data);
  const down = await runProgram('scp', ['-F', config, 'agent:there', join(harness.dir, 'back')]);
  assert.equal(down.status, 0);
  assertSame(readFileSync(join(harness.dir, 'back')), data);
});

/** Says where they begin and cease to differ, which points to a packet or to a whole transfer. */
function assertSame(actual: Buffer, wanted: Buffer): void {
  if (actual.equals(wanted)) return;
  let from = 0;
  while (from < wanted.length && actual[from] === wanted[from]) from += 1;
  let to = Math.min(actual.length, wanted.length);
  while (to > from && actual[to - 1] === wanted[to - 1]) to -= 1;
  const piece = actual.subarray(from, from + 16);
  assert.fail(
    `${String(actual.length)} of ${String(wanted.length)} bytes, others from ${String(from)} to ${String(to)}; ` +
      `there lie ${piece.toString('hex')}, which belong to ${String(wanted.indexOf(piece))}`,
  );
}
