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
  assert.ok(readFileSync(join(harness.dir, 'there')).equals(data));
  const down = await runProgram('scp', ['-F', config, 'agent:there', join(harness.dir, 'back')]);
  assert.equal(down.status, 0);
  assert.ok(readFileSync(join(harness.dir, 'back')).equals(data));
});
