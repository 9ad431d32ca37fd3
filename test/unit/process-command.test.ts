import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HoldfastError, type Clock } from '../../src/shared/common/index.js';
import { parseMetadata } from '../../src/shared/common/wire/index.js';
import {
  createPrepareCommand,
  endGroup,
  homeDirectory,
  resolveDirectory,
  resolveShell,
  shellPlatform,
  type SystemUser,
} from '../../src/main/agent/process/index.js';
import { tempDir } from '../support/index.js';

const dir = tempDir();
const shell = join(dir, 'my shell');
writeFileSync(shell, '#!/bin/sh\n');
chmodSync(shell, 0o755);
writeFileSync(join(dir, 'no-program'), '');

const user = (part: Partial<SystemUser>): SystemUser => ({ platform: 'linux', env: {}, ...part });
const code = (expected: string) => (error: unknown) =>
  error instanceof HoldfastError && error.code === expected;

test('process shell - user database, then environment, then /bin/sh', async () => {
  assert.equal(await resolveShell(user({ shell, env: { SHELL: '/bin/sh' } })), shell);
  assert.equal(await resolveShell(user({ shell: '', env: { SHELL: shell } })), shell);
  assert.equal(await resolveShell(user({})), '/bin/sh');
  assert.equal(await resolveShell(user({ shell: 'sh', env: { PATH: `${dir}:/bin` } })), '/bin/sh');
});

test('process shell - one that is named but cannot run is an error, not replaced', async () => {
  for (const bad of [join(dir, 'absent'), join(dir, 'no-program'), dir]) {
    await assert.rejects(resolveShell(user({ shell: bad })), code('ERR_SHELL_NOT_FOUND'));
  }
});

test('process directory - metadata, a tilde, or home; checked before any fork', async () => {
  mkdirSync(join(dir, 'sub'));
  assert.equal(await resolveDirectory('', dir), dir);
  assert.equal(await resolveDirectory('~', dir), dir);
  assert.equal(await resolveDirectory('~/sub', dir), join(dir, 'sub'));
  assert.equal(await resolveDirectory('sub', dir), join(dir, 'sub'));
  assert.equal(await resolveDirectory('/', dir), '/');
  for (const bad of ['/no/such', shell]) {
    await assert.rejects(resolveDirectory(bad, dir), code('ERR_DIRECTORY_NOT_FOUND'));
  }
  assert.equal(homeDirectory(user({ env: { HOME: '/h' }, home: '/other' })), '/h');
  assert.equal(homeDirectory(user({ env: { HOME: 'relative' }, home: '/other' })), '/other');
  assert.equal(homeDirectory(user({})), '/');
});

test('process platform - POSIX shells take -c and -l', () => {
  for (const platform of ['linux', 'darwin', 'freebsd'] as const) {
    const row = shellPlatform(platform);
    assert.deepEqual(row.commandArgs('/bin/zsh', 'a b'), ['-c', 'a b']);
    assert.deepEqual(row.sessionArgs('/bin/zsh'), ['-l']);
    assert.ok(row.hasProcessGroups);
  }
});

test('process platform - Windows shells take /c or -Command', async () => {
  const row = shellPlatform('win32');
  assert.deepEqual(row.commandArgs('C:\\Windows\\cmd.exe', 'dir'), ['/c', 'dir']);
  const powershell = 'C:\\x\\PowerShell.exe';
  assert.deepEqual(row.commandArgs(powershell, 'dir'), ['-NoLogo', '-Command', 'dir']);
  assert.deepEqual(row.commandArgs('pwsh', 'dir'), ['-NoLogo', '-Command', 'dir']);
  assert.deepEqual(row.sessionArgs('cmd.exe'), []);
  assert.deepEqual(row.fallbackShells, ['powershell.exe', 'cmd.exe']);
  const found = await resolveShell(
    user({ platform: 'win32', shell: '/x', env: { ComSpec: shell } }),
  );
  assert.equal(found, shell, 'the user database is not asked');
});

test('process prepare - a session gets a login shell, a command the shell with -c', async () => {
  const prepare = createPrepareCommand({ user: () => user({ name: 'u', shell, home: dir }) });
  const context = { metadata: parseMetadata({}), agentEnv: {} };
  const session = await prepare({ kind: 'shell', term: 'vt100' }, context);
  assert.deepEqual([session.file, session.args, session.cwd], [shell, ['-l'], dir]);
  assert.equal(session.env['TERM'], 'vt100');
  const command = await prepare({ kind: 'exec', command: 'echo $HOME' }, context);
  assert.deepEqual(command.args, ['-c', 'echo $HOME']);
  const bad = ['a\0b', 'x'.repeat(128 * 1024)];
  for (const line of bad) {
    await assert.rejects(
      prepare({ kind: 'exec', command: line }, context),
      code('ERR_INVALID_ARGUMENT'),
    );
  }
});

/** Time that moves by hand. */
function manualClock(): Clock & { tick: (ms: number) => Promise<void> } {
  let now = 0;
  let timers: { at: number; call: () => void }[] = [];
  return {
    now: () => now,
    after: (ms, call) => {
      const timer = { at: now + ms, call };
      timers.push(timer);
      return { cancel: () => (timers = timers.filter((other) => other !== timer)) };
    },
    tick: async (ms) => {
      await new Promise(setImmediate);
      now += ms;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { call } of due) call();
      await new Promise(setImmediate);
    },
  };
}

test('process group - HUP, then TERM, then KILL, all within 4.5 seconds', async () => {
  const clock = manualClock();
  const sent: string[] = [];
  let exit = (): void => undefined;
  const exited = new Promise<void>((resolve) => (exit = resolve));
  const signal = (_leader: number, name: NodeJS.Signals): boolean => {
    sent.push(`${String(clock.now())} ${name}`);
    return true;
  };
  const ended = endGroup(42, exited, signal, clock);
  await clock.tick(1_499);
  assert.deepEqual(sent, ['0 SIGHUP', '0 SIGCONT']);
  await clock.tick(1);
  await clock.tick(1_500);
  assert.deepEqual(sent.slice(2), ['1500 SIGTERM', '3000 SIGKILL']);
  exit();
  await ended;
});

test('process group - a process that has ended is not signalled', async () => {
  const sent: string[] = [];
  await endGroup(42, Promise.resolve(), (_leader, name) => sent.push(name) > 0, manualClock());
  assert.deepEqual(sent, []);
});
