import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { checkLeaks, tempDir, waitFor } from '../support/index.js';

checkLeaks({ patienceMs: 15_000 });

const PATIENCE_MS = 120_000;

test('npm start - prints a working link, and Ctrl-C ends all of it with status 0', async () => {
  const dir = tempDir();
  const readyFile = path.join(dir, 'ready.json');
  const options = ['--port', '0', '--no-open', '--ready-file', readyFile];
  // A process group of its own, as a shell gives to what it runs.
  const npm = spawn('npm', ['start', '--', ...options, '--state-dir', path.join(dir, 'state')], {
    cwd: path.resolve(import.meta.dirname, '../../..'),
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  npm.stdout.on('data', (data: Buffer) => (printed += data.toString()));
  const group = -(npm.pid as number);
  try {
    const url = await waitFor(() => readyUrl(readyFile), {
      what: 'the ready file',
      timeoutMs: PATIENCE_MS,
    });
    await waitFor(() => printed.includes(url), { what: 'the printed link' });
    const response = await fetch(url);
    assert.equal(response.status, 200);
    assert.match(await response.text(), /<!doctype html>/i);

    const closed = once(npm, 'close');
    process.kill(group, 'SIGINT');
    assert.deepEqual(await closed, [0, null]);
    // No such process: the whole group has gone.
    assert.throws(() => process.kill(group, 0), { code: 'ESRCH' });
  } finally {
    if (npm.exitCode === null && npm.signalCode === null) process.kill(group, 'SIGKILL');
  }
});

function readyUrl(file: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { url: string }).url;
  } catch {
    return undefined;
  }
}
