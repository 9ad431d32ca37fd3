import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { ClientChannel } from 'ssh2';
import { checkLeaks, seededRandom, waitFor } from '../support/index.js';
import {
  interleaveByOpenSsh,
  interleaveBySsh2,
  prepareInterleave,
} from '../support/interleave-run.js';
import { SshHarness } from '../support/ssh-harness.js';

checkLeaks();

let harness: SshHarness;

before(async () => {
  harness = await new SshHarness({ agentEnv: { HOLDFAST_GIT_SOCK: '/x/git.sock' } }).start();
});

after(async () => {
  await harness.close();
  assert.equal(harness.server.connections, 0);
  assert.equal(harness.registry.size, 0);
});

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('ssh exec - output, error output and status arrive', async () => {
  const { status, stdout, stderr } = await harness.ssh(['agent', 'echo out; echo err >&2; exit 7']);
  assert.equal(stdout.toString(), 'out\n');
  assert.equal(stderr, 'err\n');
  assert.equal(status, 7);
});

test('ssh exec - lineage 8: every exit status is exact', async () => {
  const client = await harness.client();
  const statuses = [0, 1, 2, 3, 64, 100, 126, 127, 128, 129, 137, 143, 200, 229, 254, 255];
  for (const status of statuses) {
    const got = await run(client, `exit ${String(status)}`);
    assert.equal(got.status, status);
  }
  client.end();
});

test('ssh exec - a signal is reported as a signal, also one that RFC 4254 does not name', async () => {
  const client = await harness.client();
  for (const signal of ['TERM', 'KILL', 'INT', 'HUP', 'USR1', 'ABRT', 'SEGV']) {
    const got = await run(client, `kill -${signal} $$`);
    assert.equal(got.signal, `SIG${signal}`);
  }
  assert.equal((await run(client, 'kill -BUS $$')).signal, 'SIGBUS@holdfast');
  client.end();
});

test('ssh exec - a signal of the client reaches the whole process group', async () => {
  const client = await harness.client();
  const channel = await open(client, 'trap "echo got" USR1; echo ready; sleep 60 & wait; exit 5');
  const result = collect(channel);
  await waitFor(() => result.text().includes('ready'), { what: 'the command is ready' });
  channel.signal('USR1');
  const { status, stdout } = await result.done;
  assert.match(stdout.toString(), /got/);
  assert.equal(status, 5);
  client.end();
});

test('ssh exec - lineage 10: the end of standard input is passed on', async () => {
  const data = randomBytes(3 * 1024 * 1024);
  const { status, stdout } = await harness.ssh(['agent', 'cat'], data);
  assert.equal(status, 0);
  assert.equal(sha256(stdout), sha256(data));
});

test('ssh exec - security 10: stdout and stderr both full at once arrive undamaged', async () => {
  const expected = prepareInterleave(harness);
  const random = seededRandom();
  const client = await harness.client();
  for (let round = 0; round < 10; round += 1) {
    assert.equal(await interleaveBySsh2(client, expected, random), undefined, String(round));
  }
  client.end();
  for (let round = 0; round < 3; round += 1) {
    assert.equal(await interleaveByOpenSsh(harness, expected, random), undefined, String(round));
  }
});

test('ssh exec - lineage 9: the tail of large output is never lost', async () => {
  const client = await harness.client();
  for (let round = 0; round < 20; round += 1) {
    const size = 1 + ((round * 157_013) % 3_000_000);
    const { stdout, status } = await run(client, `head -c ${String(size)} /dev/zero`);
    assert.equal(stdout.length, size);
    assert.equal(status, 0);
  }
  client.end();
});

test('ssh exec - a background process does not hold the session, and lives on', async () => {
  const { stdout, status } = await harness.ssh([
    'agent',
    'sleep 30 & echo $!; (sleep 0.2; echo late) & exit 3',
  ]);
  const [pid, late] = stdout.toString().split('\n');
  assert.equal(status, 3);
  assert.equal(late, 'late', 'output shortly after the exit still arrives');
  process.kill(Number(pid), 0);
  process.kill(Number(pid), 'SIGTERM');
});

test('ssh exec - standard streams are pipes, so that scripts can reopen them', async () => {
  const command = 'echo a >/dev/stderr; echo b >/dev/stdout; cat /dev/stdin';
  const { stdout, stderr } = await harness.ssh(['agent', command], 'c\n');
  assert.equal(stderr, 'a\n');
  assert.equal(stdout.toString(), 'b\nc\n');
});

test('ssh exec - security 5: a child has no descriptor but 0, 1 and 2', async () => {
  const client = await harness.client();
  const result = collect(await open(client, 'echo $$; exec sleep 60'));
  await waitFor(() => result.text().includes('\n'), { what: 'the command started' });
  const pid = Number(result.text());
  // Until its libraries are loaded the program has those open as well.
  await waitFor(() => readdirSync(`/proc/${String(pid)}/fd`).join() === '0,1,2', {
    what: 'nothing but the standard streams',
  });
  client.end();
  await result.done.catch(() => undefined);
});

test('ssh exec - only names on the allow-list come through from the client', async () => {
  const names = ['LANG=de_DE.UTF-8', 'LC_TIME=C', 'COLORTERM=truecolor'];
  const evil = ['LD_PRELOAD=/x.so', 'BASH_ENV=/x', 'PATH=/x', 'NODE_OPTIONS=-x', 'FOO=1'];
  const args = [...names, ...evil].flatMap((pair) => ['-o', `SetEnv=${pair}`]);
  const { stdout } = await harness.ssh([...args, 'agent', 'env']);
  const lines = stdout.toString().split('\n');
  // OpenSSH takes only the first SetEnv of a command line.
  assert.ok(lines.includes('LANG=de_DE.UTF-8'));
  for (const pair of evil) assert.ok(!lines.includes(pair), pair);
  const client = await harness.client();
  const pairs = [...names, ...evil].map((pair) => pair.split('=') as [string, string]);
  const env = Object.fromEntries(pairs);
  const text = (await run(client, 'env', { env })).stdout.toString().split('\n');
  for (const pair of names) assert.ok(text.includes(pair), pair);
  for (const pair of evil) assert.ok(!text.includes(pair), pair);
  client.end();
});

test('ssh exec - the environment is complete and holds no credential', async () => {
  process.env['HOLDFAST_TOKEN'] = 'canary-secret';
  const { stdout } = await harness.ssh(['agent', 'env; pwd']);
  delete process.env['HOLDFAST_TOKEN'];
  const text = stdout.toString();
  assert.ok(!text.includes('canary-secret'));
  assert.match(text, /^HOLDFAST_GIT_SOCK=\/x\/git\.sock$/m);
  assert.match(text, /^SSH_CONNECTION=\S+ \d+ \S+ \d+$/m);
  assert.match(text, new RegExp(`^${harness.dir}$`, 'm'));
});

test('ssh exec - the end of the session ends its command and the whole process group', async () => {
  const child = harness.spawnSsh(['agent', 'sleep 300 & echo $! $$; wait']);
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await waitFor(() => text.includes('\n'), { what: 'the command started' });
  const pids = text.trim().split(' ').map(Number);
  child.kill('SIGKILL');
  await waitFor(() => pids.every((pid) => !isRunning(pid)), { what: 'both processes are gone' });
});

test('ssh exec - security 11: a client that vanishes with unread input leaves no command behind', async () => {
  const client = await harness.client();
  const channel = await open(client, 'echo $$; trap "" HUP; sleep 300');
  const result = collect(channel);
  await waitFor(() => result.text().includes('\n'), { what: 'the command started' });
  channel.write(randomBytes(1024 * 1024));
  await new Promise((resolve) => setTimeout(resolve, 50));
  harness.streams.at(-1)?.destroy();
  const pid = Number(result.text());
  await waitFor(() => !isRunning(pid), { what: 'the command is gone' });
  await result.done.catch(() => undefined);
});

test('ssh exec - a session that cannot start says why, with a code, and status 229', async () => {
  const missing = await new SshHarness({ metadata: { directory: '/no/such/folder' } }).start();
  const { status, stderr } = await missing.ssh(['agent', 'true']);
  await missing.close();
  assert.equal(status, 229);
  assert.match(stderr, /ERR_DIRECTORY_NOT_FOUND/);
});

test('ssh exec - a command of 30 KiB runs, and one too long ends the connection with a reason', async () => {
  const client = await harness.client();
  const long = `: ${'x'.repeat(30 * 1024)}; echo ok`;
  assert.equal((await run(client, long)).stdout.toString(), 'ok\n');
  const closed = new Promise<void>((resolve) => {
    client.once('close', () => resolve());
  });
  client.exec('x'.repeat(200 * 1024), () => undefined);
  await closed;
});

test('ssh exec - a peer without the scope gets no shell', async () => {
  const guest = await new SshHarness({ scopes: ['forward'] }).start();
  const { status, stdout } = await guest.ssh(['agent', 'echo in']);
  await guest.close();
  assert.equal(stdout.toString(), '');
  assert.notEqual(status, 0);
  const stranger = await new SshHarness({ scopes: ['terminal:a:view'] }).start();
  assert.notEqual((await stranger.ssh(['agent', 'echo in'])).status, 0);
  await stranger.close();
});

test('ssh exec - keys change in the middle of a transfer without a lost byte', async () => {
  const rekeying = await new SshHarness({ server: { rekeyBytes: 1024 * 1024 } }).start();
  const data = randomBytes(12 * 1024 * 1024);
  const { stdout, status } = await rekeying.ssh(['-o', 'RekeyLimit=3M', 'agent', 'cat'], data);
  await rekeying.close();
  assert.equal(status, 0);
  assert.equal(sha256(stdout), sha256(data));
});

interface Result {
  readonly status: number | null;
  readonly signal: string | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

type TestClient = Awaited<ReturnType<SshHarness['client']>>;

function open(client: TestClient, command: string, options = {}): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, options, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
}

function collect(channel: ClientChannel): { done: Promise<Result>; text: () => string } {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  channel.on('data', (chunk: Buffer) => out.push(chunk));
  channel.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  let exit: { status: number | null; signal: string | undefined } | undefined;
  channel.on('exit', (status: number | null, signal?: string) => {
    exit = { status, signal };
  });
  const done = new Promise<Result>((resolve, reject) => {
    let open = 2;
    const closed = (): void => {
      open -= 1;
      if (open > 0) return;
      if (exit === undefined) reject(new Error('closed without an exit status'));
      else resolve({ ...exit, stdout: Buffer.concat(out), stderr: Buffer.concat(err) });
    };
    // ssh2's client closes the channel when stdout has been read, whatever waits in stderr.
    channel.on('close', closed);
    channel.stderr.on('close', closed);
  });
  done.catch(() => undefined);
  return { done, text: () => Buffer.concat(out).toString() };
}

async function run(client: TestClient, command: string, options = {}): Promise<Result> {
  return await collect(await open(client, command, options)).done;
}

/** Whether a process runs; a zombie does not. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}
