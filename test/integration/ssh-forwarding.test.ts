import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkLeaks, waitFor } from '../support/index.js';
import { dial, freePort, SshHarness } from '../support/ssh-harness.js';

checkLeaks();

let harness: SshHarness;
let target: Server;
let targetPort: number;

/** What a service says that answers only when its client has finished. */
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

before(async () => {
  harness = await new SshHarness().start();
  // Half-close matters: the answer comes after the client's end.
  target = createServer({ allowHalfOpen: true }, (socket) => {
    const parts: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => parts.push(chunk));
    socket.on('end', () => socket.end(digest(Buffer.concat(parts))));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  targetPort = (target.address() as AddressInfo).port;
});

after(async () => {
  await harness.close();
  await new Promise((resolve) => target.close(resolve));
});

function ask(socket: Socket, data: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('end', () => resolve(answer));
    socket.end(data);
  });
}

test('ssh forwarding - -L carries many short parallel connections with half-closes', async () => {
  const port = await freePort();
  const ssh = harness.spawnSsh(['-N', '-L', `${port}:127.0.0.1:${targetPort}`, 'agent']);
  await waitFor(async () => {
    try {
      (await dial(port)).destroy();
      return true;
    } catch {
      return false;
    }
  });
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const data = randomBytes(index * 997);
      return (await ask(await dial(port), data)) === digest(data);
    }),
  );
  assert.ok(answers.every(Boolean));
  const large = randomBytes(8 * 1024 * 1024);
  assert.equal(await ask(await dial(port), large), digest(large));
  ssh.kill();
});

test('ssh forwarding - -W joins standard streams to a target', async () => {
  const data = randomBytes(100_000);
  const { stdout } = await harness.ssh(['-W', `127.0.0.1:${targetPort}`, 'agent'], data);
  assert.equal(stdout.toString(), digest(data));
});

test('ssh forwarding - -R with port 0 tells the port and reaches the client', async () => {
  const ssh = harness.spawnSsh([
    ...['-o', 'LogLevel=INFO', '-N', '-R', `0:127.0.0.1:${targetPort}`, 'agent'],
  ]);
  let text = '';
  ssh.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const port = await waitFor(() => Number(/Allocated port (\d+)/.exec(text)?.[1]) || undefined);
  const answers = await Promise.all(
    Array.from({ length: 30 }, async (_, index) => {
      const data = randomBytes(index * 3001);
      return (await ask(await dial(port), data)) === digest(data);
    }),
  );
  assert.ok(answers.every(Boolean));
  ssh.kill();
  await waitFor(async () => {
    try {
      (await dial(port)).destroy();
      return false;
    } catch {
      return true;
    }
  });
});

test('ssh forwarding - a remote forward listens on loopback only, whatever is asked', async () => {
  const client = await harness.client();
  const port = await new Promise<number>((resolve, reject) => {
    client.forwardIn('0.0.0.0', 0, (error, bound) => {
      if (error === undefined) resolve(bound);
      else reject(error);
    });
  });
  (await dial(port)).destroy();
  await assert.rejects(
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.2' }, () => resolve(socket.destroy()));
      socket.once('error', reject);
    }),
  );
  await new Promise<void>((resolve, reject) => {
    client.unforwardIn('0.0.0.0', port, (error) => {
      if (error === undefined) resolve();
      else reject(new Error('not cancelled', { cause: error }));
    });
  });
  await assert.rejects(dial(port));
  client.end();
});

test('ssh forwarding - unix sockets are carried both ways', async () => {
  const here = join(harness.dir, 'here.sock');
  const there = join(harness.dir, 'there.sock');
  const port = await freePort();
  const ssh = harness.spawnSsh([
    ...['-N', '-R', `${here}:127.0.0.1:${targetPort}`, '-L', `${port}:${there}`, 'agent'],
  ]);
  const server = createServer((socket) => socket.end('hello'));
  await new Promise<void>((resolve) => server.listen(there, resolve));
  const data = randomBytes(50_000);
  await waitFor(
    async () =>
      (await new Promise<string>((resolve) => {
        const socket = connect({ path: here, allowHalfOpen: true });
        socket.once('error', () => resolve(''));
        socket.once('connect', () => void ask(socket, data).then(resolve, () => resolve('')));
      })) === digest(data),
  );
  assert.equal(await ask(await dial(port), Buffer.alloc(0)), 'hello');
  ssh.kill();
  await new Promise((resolve) => server.close(resolve));
});

test('ssh forwarding - a target that does not answer, or is not allowed, is refused with a reason', async () => {
  const closed = await freePort();
  const refused = await harness.ssh(['-W', `127.0.0.1:${closed}`, 'agent']);
  assert.notEqual(refused.status, 0);
  const narrow = await new SshHarness({
    scopes: ['ssh', 'forward'],
    server: { forwarding: { allow: [`127.0.0.1:${targetPort}`] } },
  }).start();
  const data = randomBytes(10);
  const allowed = await narrow.ssh(['-W', `127.0.0.1:${targetPort}`, 'agent'], data);
  assert.equal(allowed.stdout.toString(), digest(data));
  const other = await narrow.ssh(['-o', 'LogLevel=INFO', '-W', `127.0.0.1:${closed}`, 'agent']);
  assert.match(other.stderr, /administratively prohibited/);
  await narrow.close();
  const guest = await new SshHarness({ scopes: ['ssh'] }).start();
  const denied = await guest.ssh(['-o', 'LogLevel=INFO', '-W', `127.0.0.1:${targetPort}`, 'agent']);
  assert.match(denied.stderr, /administratively prohibited/);
  assert.notEqual(
    (await guest.ssh(['-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:1', 'agent', 'true']))
      .status,
    0,
  );
  await guest.close();
});

test('ssh forwarding - agent forwarding reaches the agent of the client', async () => {
  const agent = await startSshAgent();
  const { stdout, status } = await harness.ssh([
    ...['-A', '-o', `IdentityAgent=${agent.path}`, 'agent', 'ssh-add -l; echo $SSH_AUTH_SOCK'],
  ]);
  await agent.stop();
  assert.match(stdout.toString(), /The agent has no identities/);
  assert.match(stdout.toString(), /holdfast-agent-/);
  assert.equal(status, 0);
});

async function startSshAgent(): Promise<{ path: string; stop: () => Promise<void> }> {
  const path = join(harness.dir, 'client-agent.sock');
  const child = spawn('ssh-agent', ['-D', '-a', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.resume();
  return {
    path,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill();
      }),
  };
}
