import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect as dial, createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  checkLeaks,
  findProgram,
  requireProgram,
  runProgram,
  seededRandom,
  tempDir,
  waitFor,
} from '../support/index.js';
import { limits } from '../../src/shared/common/index.js';
import { ssh, startSsh, useUp } from '../support/e2e.js';
import { heldBy, KILLED_AT, killRun, openKillBench } from '../support/kill-run.js';
import { childOf } from '../support/up.js';

checkLeaks();

const HOST = 'local.holdfast';

const NEEDS = requireProgram('ssh');
const currentUp = useUp();

test(
  'ssh e2e - the exit status is that of the command, with and without a terminal',
  NEEDS,
  async () => {
    const up = currentUp();
    assert.equal((await ssh(up, [HOST, 'exit 7'])).status, 7);
    assert.equal((await ssh(up, ['-tt', HOST, 'exit 7'])).status, 7);
    assert.equal((await up.holdfast(['ssh', 'local', '--', 'exit 7'])).status, 7);
    assert.equal((await ssh(up, [HOST, 'true'])).status, 0);
    // As OpenSSH does: a command that a signal ended is 255 there, 128 + n in our own client.
    assert.equal((await ssh(up, [HOST, 'kill -TERM $$'])).status, 255);
    assert.equal((await up.holdfast(['ssh', 'local', '--', 'kill -TERM $$'])).status, 143);
  },
);

test('ssh e2e - standard input arrives whole and ends', NEEDS, async () => {
  const up = currentUp();
  const text = 'line\n'.repeat(50_000);
  const echoed = await ssh(up, [HOST, 'cat'], { input: text });
  assert.equal(echoed.stdout.toString(), text);
  assert.equal(echoed.status, 0);
  const own = await up.holdfast(['ssh', 'local', '--', 'cat'], text);
  assert.equal(own.stdout.toString(), text);
});

test(
  'ssh e2e - a background job that holds the terminal does not hold the session',
  NEEDS,
  async () => {
    const up = currentUp();
    const result = await ssh(up, ['-tt', HOST, 'sleep 60 & echo $! hi']);
    assert.equal(result.status, 0);
    const [, job] = /^(\d+) hi\r\n$/.exec(result.stdout.toString()) ?? [];
    assert.ok(job !== undefined, JSON.stringify(result.stdout.toString()));
    // The end of the session hangs up on its jobs, or leaves them; either way `hi` came without them.
    try {
      process.kill(Number(job), 'SIGKILL');
    } catch {
      // It is gone.
    }
  },
);

test(
  'ssh e2e - no PTY master and nothing but 0, 1 and 2 is open in what a session runs',
  NEEDS,
  async () => {
    const up = currentUp();
    const other = startSsh(up, ['-tt', HOST]);
    await waitFor(() => other.stdout().length > 0, { what: 'a prompt' });
    const list = 'ls -l /proc/$$/fd; true';
    for (const args of [
      [HOST, list],
      ['-tt', HOST, list],
    ]) {
      const { stdout } = await ssh(up, args);
      const fds = [...stdout.toString().matchAll(/ (\d+) -> /g)].map(([, fd]) => fd);
      assert.deepEqual(fds.sort(), ['0', '1', '2'], stdout.toString());
      assert.doesNotMatch(stdout.toString(), /ptmx/);
    }
    const shell = await ssh(up, ['-tt', HOST], { input: ` ${list}; exit 3\n` });
    assert.equal(shell.status, 3);
    assert.doesNotMatch(shell.stdout.toString(), /ptmx|-> socket:|-> anon_inode:/);
    await other.stop();
  },
);

test(
  'ssh e2e - scp, sftp and rsync bring trees with content, modes and times',
  NEEDS,
  async (t) => {
    const up = currentUp();
    const source = join(tempDir(), 'tree');
    mkdirSync(join(source, 'sub', 'empty'), { recursive: true });
    writeFileSync(join(source, 'run.sh'), '#!/bin/sh\necho hi\n');
    writeFileSync(join(source, 'sub', 'data'), Buffer.alloc(1_500_000, 'abcdefg'));
    writeFileSync(join(source, 'sub', 'ünï cödé'), 'x');
    chmodSync(join(source, 'run.sh'), 0o751);
    chmodSync(join(source, 'sub', 'data'), 0o640);
    const time = new Date('2020-02-03T04:05:06Z');
    for (const name of ['run.sh', 'sub/data', 'sub/ünï cödé']) {
      utimesSync(join(source, name), time, time);
    }
    const check = (folder: string, what: string): void => {
      for (const name of ['run.sh', 'sub/data', 'sub/ünï cödé']) {
        const [a, b] = [join(source, name), join(folder, name)];
        assert.ok(readFileSync(a).equals(readFileSync(b)), `${what}: ${name}`);
        assert.equal(statSync(b).mode, statSync(a).mode, `${what}: mode of ${name}`);
        assert.equal(statSync(b).mtimeMs, time.getTime(), `${what}: time of ${name}`);
      }
      assert.ok(statSync(join(folder, 'sub', 'empty')).isDirectory());
      rmSync(folder, { recursive: true });
    };
    const target = join(tempDir(), 'copy');
    const back = join(tempDir(), 'back');
    const options = ['-F', up.sshConfig, '-q'];
    const run = async (name: string, args: readonly string[], input = ''): Promise<void> => {
      const result = await runProgram(findProgram(name) ?? name, args, { input });
      assert.equal(result.status, 0, `${name}: ${result.stderr}`);
    };
    await run('scp', [...options, '-rp', source, `${HOST}:${target}`]);
    await run('scp', [...options, '-rp', `${HOST}:${target}`, back]);
    check(target, 'scp up');
    check(back, 'scp down');
    await run(
      'sftp',
      [...options, '-b', '-', HOST],
      `put -rp "${source}" "${target}"\nget -rp "${target}" "${back}"\n`,
    );
    check(target, 'sftp up');
    check(back, 'sftp down');
    if (findProgram('rsync') === undefined) {
      requireProgram('rsync');
      t.diagnostic('rsync is not installed: its part was not run');
      return;
    }
    const shell = `ssh -F ${up.sshConfig} -q`;
    await run('rsync', ['-a', '-e', shell, `${source}/`, `${HOST}:${target}/`]);
    await run('rsync', ['-a', '-e', shell, `${HOST}:${target}/`, `${back}/`]);
    check(target, 'rsync up');
    check(back, 'rsync down');
  },
);

test(
  'ssh e2e - ports are forwarded both ways, port 0 too, and -W joins standard streams',
  NEEDS,
  async () => {
    const up = currentUp();
    const echo: Server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    const target = (echo.address() as AddressInfo).port;
    const free = await freePort();
    const forwards = startSsh(up, [
      ...['-N', '-v', '-o', 'ExitOnForwardFailure=yes', '-o', 'LogLevel=VERBOSE'],
      ...['-L', `127.0.0.1:${String(free)}:127.0.0.1:${String(target)}`],
      ...['-R', `0:127.0.0.1:${String(target)}`, HOST],
    ]);
    const remote = await waitFor(
      () => /Allocated port (\d+) for remote forward/.exec(forwards.stderr())?.[1],
      { what: 'the remote port', timeoutMs: 60_000 },
    );
    for (const port of [free, Number(remote)]) {
      const text = 'through '.repeat(20_000);
      const echoed = await waitFor(() => exchange(port, text).catch(() => undefined), {
        what: `an echo through ${String(port)}`,
      });
      assert.equal(echoed, text);
    }
    await forwards.stop();
    const joined = await ssh(up, ['-W', `127.0.0.1:${String(target)}`, HOST], {
      input: 'joined\n',
    });
    assert.equal(joined.stdout.toString(), 'joined\n');
    echo.close();
  },
);

/** Sends `text`, ends, and returns what came back. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = dial({ port, host: '127.0.0.1', allowHalfOpen: true });
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (data: string) => (received += data));
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
    socket.on('end', () => socket.end());
    socket.end(text);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

test('ssh e2e - a client that is killed at any moment leaves nothing behind', NEEDS, async (t) => {
  const up = currentUp();
  const agent = childOf(up.ready.pid, 'agent-child');
  const bench = await openKillBench(up);
  t.after(() => bench.echo.close());
  const random = seededRandom();
  // What the first of each kind makes the agent load stays.
  await ssh(up, ['-tt', HOST, 'true']);
  const before = heldBy(agent);
  const runs = await Promise.all(
    KILLED_AT.map((at, run) => killRun(bench, run, random, { at, isEarly: false })),
  );
  // Whoever is gone was noticed by the heartbeats only: the proxy of a killed client left without a
  // word when its pipe broke, and of a killed proxy nobody told.
  const silence = limits.HEARTBEAT_MS * limits.HEARTBEAT_MISSES;
  for (const { at, goneMs } of runs) assert.ok(goneMs < silence, `${at}: ${String(goneMs)} ms`);
  await waitFor(() => heldBy(agent).children <= before.children, { what: 'children' });
  await waitFor(() => heldBy(agent).listeners <= before.listeners, { what: 'listeners' });
  await waitFor(() => heldBy(agent).descriptors <= before.descriptors, { what: 'descriptors' });
});
