import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { test } from 'node:test';
import { ReadStream } from 'node:tty';
import { setTerminalModes, startPty, type PtyOptions } from '../../src/shared/node/pty/index.js';
import { duplicateFd } from '../../src/shared/node/system/index.js';
import { checkLeaks } from '../support/index.js';

checkLeaks();

/** Runs `script` on a terminal until it has ended; what it wrote, line by line. */
async function run(script: string, changes: Partial<PtyOptions> = {}): Promise<string[]> {
  const pty = await startPty({
    file: '/bin/sh',
    args: ['-c', script],
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    size: { rows: 33, cols: 77 },
    ...changes,
  });
  const stream = new ReadStream(duplicateFd(pty.masterFd));
  let text = '';
  stream.on('data', (bytes: Buffer) => (text += bytes.toString()));
  // The end of a terminal is EIO.
  stream.on('error', () => undefined);
  await new Promise((resolve) => stream.once('close', resolve));
  closeSync(pty.masterFd);
  assert.deepEqual(await pty.exited, { kind: 'status', status: 0 });
  return text.trim().split('\r\n');
}

test('pty start - a program leads a session that its terminal controls, with its size, path and nothing else', async () => {
  const [tty, variable, directory, ids = '', size, fds, ignored = ''] = await run(
    [
      'tty; echo $HERE; pwd; ps -o pid=,sid=,pgid=,tpgid= -p $$; stty size',
      'set -- /proc/$$/fd/*; echo $#; sed -n "s/^SigIgn:\t//p" /proc/$$/status',
    ].join('; '),
    { ttyVariable: 'HERE', cwd: '/usr' },
  );
  assert.match(tty ?? '', /^\/dev\/pts\/\d+$/);
  assert.equal(variable, tty);
  assert.equal(directory, '/usr');
  const [pid, sid, pgid] = ids.trim().split(/\s+/);
  assert.deepEqual([sid, pgid], [pid, pid]);
  assert.equal(size, '33 77');
  // Beside the three the folder that the shell lists itself.
  assert.equal(Number(fds), 4);
  // Bits 31 and 32 are signals 32 and 33, which are glibc's own.
  assert.equal(BigInt(`0x${ignored}`) & ~0x1_8000_0000n, 0n);
});

test('pty start - modes are those of a terminal emulator, and those that are asked for are there at the first look', async () => {
  const [input = '', local = ''] = await run('stty -a | grep -o "[-a-z0-9]*" | tr "\\n" " "; echo');
  const modes = ` ${input} ${local} `;
  for (const mode of ['brkint', 'ixany', 'imaxbel', 'iutf8', 'icrnl', 'echo', 'icanon', 'isig'])
    assert.ok(modes.includes(` ${mode} `), `${mode} in ${modes}`);
  for (let round = 0; round < 20; round += 1) {
    const lines = await run('stty -a | grep -ow -e "-echo" -e "-icanon"', {
      prepare: (slavePath) => {
        setTerminalModes(slavePath, { ECHO: 0, ICANON: 0 });
      },
    });
    assert.deepEqual(lines.toSorted(), ['-echo', '-icanon']);
  }
});

test('pty start - the programs of a terminal are hung up when its master is closed', async () => {
  const { masterFd, exited } = await startPty({
    file: '/bin/sleep',
    args: ['1000'],
    env: {},
    cwd: '/',
    size: { rows: 24, cols: 80 },
  });
  closeSync(masterFd);
  assert.deepEqual(await exited, { kind: 'signal', signal: 'SIGHUP' });
});

test('pty start - what cannot be started is an error and leaves no terminal behind', async () => {
  const options = { args: [], env: {}, size: { rows: 24, cols: 80 } };
  for (const wrong of [
    { file: '/no/such/program', cwd: '/' },
    { file: '/bin/sh', cwd: '/no/such/directory' },
  ]) {
    await assert.rejects(startPty({ ...options, ...wrong }), { code: 'ERR_SPAWN' });
  }
});

test('pty start - many ends at once, with children of Node among them, are each told to whoever started it', async () => {
  const statuses = Array.from({ length: 60 }, (_, index) => index * 4);
  const ends = statuses.map(async (status) => {
    const pty = await startPty({
      file: '/bin/sh',
      args: ['-c', `sleep 0.2; exit ${String(status)}`],
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
      size: { rows: 24, cols: 80 },
    });
    const child = spawn('/bin/sh', ['-c', `sleep 0.2; exit ${String(status)}`]);
    const [ofChild] = (await once(child, 'exit')) as [number];
    assert.equal(ofChild, status);
    const exit = await pty.exited;
    closeSync(pty.masterFd);
    return exit;
  });
  assert.deepEqual(
    await Promise.all(ends),
    statuses.map((status) => ({ kind: 'status', status })),
  );
});
