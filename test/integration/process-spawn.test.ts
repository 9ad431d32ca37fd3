import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ProcessRegistry } from '../../src/main/agent/process/index.js';
import type { PreparedCommand, SpawnedCommand } from '../../src/main/agent/process/index.js';
import { checkLeaks } from '../support/index.js';

checkLeaks();

const shell = (script: string, changes: Partial<PreparedCommand> = {}): PreparedCommand => ({
  file: '/bin/sh',
  args: ['-c', script],
  env: { PATH: '/usr/bin:/bin' },
  cwd: '/',
  ...changes,
});

async function withRegistry(use: (registry: ProcessRegistry) => Promise<void>): Promise<void> {
  const registry = new ProcessRegistry();
  await use(registry);
  await registry.close();
  assert.equal(registry.size, 0);
}

async function output(command: SpawnedCommand): Promise<string> {
  command.stdin.end();
  command.stderr.resume();
  const parts: Buffer[] = [];
  for await (const part of command.stdout) parts.push(part as Buffer);
  await command.exited;
  return Buffer.concat(parts).toString();
}

test('process spawn - statuses and signals are exact, also of a hundred at once', async () => {
  await withRegistry(async (registry) => {
    const statuses = Array.from({ length: 100 }, (_, index) => index * 2);
    const exits = await Promise.all(
      statuses.map(async (status) => {
        const command = await registry.spawnCommand(shell(`exit ${String(status)}`));
        await output(command);
        return await command.exited;
      }),
    );
    assert.deepEqual(
      exits,
      statuses.map((status) => ({ kind: 'status', status })),
    );
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGPIPE', 'SIGUSR1']) {
      const command = await registry.spawnCommand(shell(`kill -${signal.slice(3)} $$`));
      await output(command);
      // Node ignores SIGPIPE, and a program that inherits that does not end with `yes | head`.
      assert.deepEqual(await command.exited, { kind: 'signal', signal });
    }
  });
});

test('process spawn - a program has its descriptors, directory, environment and session, and no more', async () => {
  await withRegistry(async (registry) => {
    const script = [
      'pwd',
      'env | grep -v "^PWD=\\|^_=\\|^SHLVL="',
      'ls /proc/self/fd | wc -l',
      '[ "$(cut -d " " -f 6 /proc/$$/stat)" = $$ ] && echo leads',
    ].join('; ');
    const env = { PATH: '/usr/bin:/bin', NAME: 'a=b c\nd' };
    const said = await output(await registry.spawnCommand(shell(script, { env, cwd: '/usr' })));
    const lines = said.split('\n').map((line) => line.trim());
    assert.equal(lines[0], '/usr');
    assert.ok(said.includes('NAME=a=b c\nd\n'), said);
    assert.equal(said.match(/^\w+=/gm)?.length, 2, said);
    // Its three, and the listing's own.
    assert.ok(lines.includes('4'), said);
    assert.ok(lines.includes('leads'), said);
    // Not through a shell, which blocks all signals while it waits for a command.
    const grep = { file: '/bin/grep', args: ['^Sig[IB]', '/proc/self/status'] };
    const signals = await output(await registry.spawnCommand(shell('', grep)));
    const masks = signals.match(/^Sig\w+:\t(\w+)$/gm) ?? [];
    assert.equal(masks.length, 2, signals);
    // glibc has the two signals ignored that it uses itself (spawni.c), until a program's own glibc wants them.
    for (const mask of masks) assert.match(mask, /:\t0+(?:180000000)?$/);
  });
});

test('process spawn - what cannot be started is said to be so, and nothing is left of it', async () => {
  await withRegistry(async (registry) => {
    const cases: readonly Partial<PreparedCommand>[] = [
      { file: '/nowhere/program' },
      { file: '/etc/passwd' },
      { cwd: '/nowhere' },
      { args: ['-c', 'echo one\0two'] },
      { env: { A: 'b\0c' } },
      { args: ['-c', 'true', 'x'.repeat(4 * 1024 * 1024)] },
    ];
    for (const changes of cases) {
      await assert.rejects(registry.spawnCommand(shell('true', changes)), { code: 'ERR_SPAWN' });
    }
  });
});

test('process spawn - closing ends what runs, group and all', async () => {
  const registry = new ProcessRegistry();
  const command = await registry.spawnCommand(shell('trap "" HUP; echo up; sleep 100 & sleep 100'));
  await once(command.stdout, 'data');
  command.stdout.resume();
  command.stderr.resume();
  await registry.close();
  assert.deepEqual(await command.exited, { kind: 'signal', signal: 'SIGTERM' });
  await assert.rejects(registry.spawnCommand(shell('true')), { code: 'ERR_CLOSED' });
  await command.end();
});
