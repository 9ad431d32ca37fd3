import assert from 'node:assert/strict';
import { linkSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLogger, type LogRecord } from '../../src/shared/common/index.js';
import { parseMetadata } from '../../src/shared/common/wire/index.js';
import {
  createPrepareCommand,
  ProcessRegistry,
  STARTUP_LOG,
  StartupScript,
} from '../../src/main/agent/process/index.js';
import { checkLeaks, tempDir, waitFor } from '../support/index.js';

checkLeaks();

const registry = new ProcessRegistry();
const records: LogRecord[] = [];

after(async () => {
  await registry.close();
});

function make(): { script: StartupScript; dir: string; log: string; run: (text?: string) => void } {
  const dir = tempDir();
  const script = new StartupScript({
    logger: createLogger((record) => records.push(record)),
    stateDir: dir,
    prepareCommand: createPrepareCommand(),
    registry,
  });
  const run = (text?: string): void => {
    const metadata = parseMetadata({
      directory: dir,
      environment_variables: { FROM_METADATA: 'yes' },
      ...(text === undefined ? {} : { startup_script: text }),
    });
    script.start({ metadata, agentEnv: { FROM_AGENT: 'too' } });
  };
  return { script, dir, log: join(dir, STARTUP_LOG), run };
}

test('startup script - runs once with the full environment, and logs 0600 from the start', async () => {
  const { script, log, run, dir } = make();
  writeFileSync(log, 'a stale tail that is longer than the new output '.repeat(20), {
    mode: 0o644,
  });
  run();
  run('echo $FROM_METADATA $FROM_AGENT; pwd; echo err >&2; ls -l /proc/self/fd | wc -l');
  run('echo twice');
  await script.ended;
  const lines = readFileSync(log, 'utf8').split('\n');
  assert.deepEqual(lines.slice(0, 3), ['yes too', dir, 'err']);
  assert.equal(statSync(log).mode & 0o777, 0o600);
  assert.ok(!lines.includes('twice'));
});

test('startup script - an empty one uses up the once', async () => {
  const { script, log, run } = make();
  run('');
  run('echo too late');
  await script.ended;
  assert.throws(() => statSync(log));
});

test('startup script - security B-19: no link is followed and no second name is written through', async () => {
  for (const place of [symlinkSync, linkSync]) {
    const { script, log, run, dir } = make();
    const victim = join(dir, 'victim');
    writeFileSync(victim, 'untouched', { mode: 0o600 });
    place(victim, log);
    run('echo overwritten');
    await script.ended;
    assert.equal(readFileSync(victim, 'utf8'), 'untouched');
    rmSync(log);
  }
  assert.ok(records.some(({ message }) => message === 'startup script failed to start'));
});

test('startup script - a failure is only logged, and close ends its whole group', async () => {
  const failing = make();
  failing.run('exit 3');
  await failing.script.ended;
  assert.ok(records.some(({ message }) => message === 'startup script failed'));
  const long = make();
  long.run('sleep 300 & echo $!; wait');
  const pid = await waitFor(() => {
    try {
      return Number(readFileSync(long.log, 'utf8').trim()) || undefined;
    } catch {
      return undefined;
    }
  });
  await long.script.close();
  await waitFor(() => {
    try {
      return /^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
    } catch {
      return true;
    }
  });
});
