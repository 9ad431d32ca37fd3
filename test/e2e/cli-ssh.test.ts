import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  checkLeaks,
  requireProgram,
  runProgram,
  startProgram,
  tempDir,
  waitFor,
  type ProgramResult,
  type RunningProgram,
} from '../support/index.js';
import { useUp } from '../support/e2e.js';
import { cleanEnvironment, HOLDFAST } from '../support/up.js';

checkLeaks();

const WITH_SSH = { ...requireProgram('ssh'), timeout: 120_000 };
// Every character that ssh, its ProxyCommand or its KnownHostsCommand could trip over.
const currentUp = useUp({ stateDir: join(tempDir(), `s 'a" %h $(x) \\d`) });

/** Runs OpenSSH's client with the configuration that `up` wrote. */
function ssh(args: readonly string[], input?: string | Uint8Array): Promise<ProgramResult> {
  return runProgram('ssh', ['-F', currentUp().sshConfig, ...args], {
    env: cleanEnvironment(tempDir()),
    cwd: '/',
    ...(input === undefined ? {} : { input }),
  });
}

/** A server that sends back what it gets, with `tag` before it. */
async function echoServer(tag: string): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.write(tag);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** Sends `data`, ends, and gives all that comes back. */
function exchange(port: number, data: Buffer, host = '127.0.0.1'): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks)));
    socket.on('error', reject);
    socket.end(data);
  });
}

test(
  'cli ssh - the generated configuration works from a folder of any name',
  WITH_SSH,
  async () => {
    assert.equal((await ssh(['local.holdfast', 'exit 7'])).status, 7);
    const tty = await ssh(['-tt', 'local.holdfast', 'tty; exit 7']);
    assert.equal(tty.status, 7);
    assert.match(tty.stdout.toString(), /^\/dev\/pts\/\d+\r\n/);
  },
);

test('cli ssh - a workspace that does not exist fails in a line', WITH_SSH, async () => {
  const { status, stderr } = await ssh(['nowhere.holdfast', 'true']);
  assert.equal(status, 255);
  assert.match(stderr, /^holdfast: ERR_WORKSPACE_NOT_FOUND: .+\nhint: .+\n/);
});

test('cli ssh - another host key is refused', WITH_SSH, async () => {
  const other = randomBytes(32);
  const header = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');
  const key = `ssh-ed25519 ${Buffer.concat([header, other]).toString('base64')}`;
  const line = `printf '%s %s\\n' "$1" '${key}'`;
  const script = join(tempDir(), 'known-hosts.sh');
  writeFileSync(script, `#!/bin/sh\n${line}\n`);
  chmodSync(script, 0o755);
  const { status, stderr } = await ssh([
    '-o',
    `KnownHostsCommand=${script} %H`,
    'local.holdfast',
    'true',
  ]);
  assert.equal(status, 255);
  assert.match(stderr, /Host key verification failed/);
});

test('cli ssh - an agent with another identity is refused', WITH_SSH, async () => {
  const configDir = tempDir();
  const file = join(currentUp().ready.clientConfigDir, 'known-agents.json');
  await ssh(['local.holdfast', 'true']);
  const known = readFileSync(file, 'utf8').replace(
    /"agentKey": "[^"]+"/,
    `"agentKey": "${randomBytes(32).toString('base64url')}"`,
  );
  writeFileSync(join(configDir, 'known-agents.json'), known, { mode: 0o600 });
  const config = {
    brokerUrl: currentUp().ready.brokerUrl,
    tokenFile: join(currentUp().ready.clientConfigDir, 'token'),
  };
  writeFileSync(join(configDir, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  const args = ['--config-dir', configDir, 'local'];
  const { status, stderr } = await currentUp().holdfast(['ssh', ...args, '--', 'true']);
  assert.equal(status, 255);
  assert.match(stderr, /^holdfast: ERR_PEER_AUTH: .+\nhint: .*--forget local/);
  assert.equal((await currentUp().holdfast(['known-hosts', '--forget', ...args])).status, 0);
  assert.equal((await currentUp().holdfast(['ssh', ...args, '--', 'true'])).status, 0);
});

test(
  'cli ssh - passes on status, both outputs, input and its end',
  { timeout: 120_000 },
  async () => {
    const result = await currentUp().holdfast([
      'ssh',
      'local',
      '--',
      'echo out; echo err >&2; exit 9',
    ]);
    assert.deepEqual(
      [result.status, result.stdout.toString(), result.stderr],
      [9, 'out\n', 'err\n'],
    );
    const data = randomBytes(700_000);
    const cat = await currentUp().holdfast(['ssh', 'local', 'cat'], data);
    assert.equal(cat.status, 0);
    assert.ok(cat.stdout.equals(data));
  },
);

test('cli ssh - a signal shows as 128 + its number', { timeout: 60_000 }, async () => {
  const { status, stderr } = await currentUp().holdfast(['ssh', 'local', '--', 'kill -TERM $$']);
  assert.equal(status, 128 + 15);
  assert.match(stderr, /SIGTERM/);
});

test(
  'cli ssh - options before, between and after belong to whom they should',
  { timeout: 120_000 },
  async () => {
    const tty = await currentUp().holdfast(['ssh', '-t', 'local', '--', 'tty; exit 3']);
    assert.equal(tty.status, 3);
    assert.match(tty.stdout.toString(), /^\/dev\/pts\//);
    const { stdout } = await currentUp().holdfast(['ssh', 'local', 'echo', '-t', '--', 'x']);
    assert.equal(stdout.toString(), '-t -- x\n');
    const after = await currentUp().holdfast(['ssh', 'local', '-n', '-t', 'tty', '; exit 4']);
    assert.equal(after.status, 4);
    assert.match(after.stdout.toString(), /^\/dev\/pts\//);
    const unknown = await currentUp().holdfast(['ssh', 'local', '-y', 'true']);
    assert.equal(unknown.status, 255);
    assert.match(unknown.stderr, /^holdfast: ERR_INVALID_ARGUMENT: unknown option "-y"\nhint: /);
  },
);

/** Starts `holdfast forward` and waits for as many lines as it has forwards. */
async function forward(
  args: readonly string[],
): Promise<{ program: RunningProgram; lines: string[] }> {
  const program = startProgram(process.execPath, [HOLDFAST, 'forward', 'local', ...args], {
    env: { ...cleanEnvironment(tempDir()), HOLDFAST_CONFIG_DIR: currentUp().ready.clientConfigDir },
  });
  const text = await waitFor(
    () => {
      if (program.child.exitCode !== null) throw new Error(program.stderr());
      const out = program.stdout().toString();
      return out.includes('Ctrl-C') && out;
    },
    { what: 'the forwards', timeoutMs: 60_000 },
  );
  return { program, lines: text.split('\n').filter((line) => line.includes('->')) };
}

test(
  'cli forward - both ways, port 0, IPv6, sockets; many at once; ends with a signal',
  {
    timeout: 180_000,
  },
  async () => {
    const { server, port } = await echoServer('T');
    const socket = join(tempDir(), 's');
    const { program, lines } = await forward([
      ...['-L', `0:127.0.0.1:${String(port)}`],
      ...['-L', `[::1]:0:127.0.0.1:${String(port)}`],
      ...['-R', `0:127.0.0.1:${String(port)}`],
      ...['-L', `${socket}:127.0.0.1:${String(port)}`],
    ]);
    try {
      assert.equal(lines.length, 4, lines.join('\n'));
      const ports = lines.map((line) => Number(/:(\d+) ->/.exec(line)?.[1]));
      const remote = lines.findIndex((line) => line.startsWith('local '));
      const others = [0, 1, 2, 3].filter((at) => at !== remote && Number.isInteger(ports[at]));
      assert.equal(others.length, 2);
      const data = randomBytes(200_000);
      const wanted = Buffer.concat([Buffer.from('T'), data]);
      const through = await Promise.all([
        ...Array.from({ length: 8 }, () => exchange(ports[others[0] ?? 0] ?? 0, data)),
        exchange(ports[others[1] ?? 0] ?? 0, data, '::1'),
        exchange(ports[remote] ?? 0, data),
      ]);
      for (const answer of through) assert.ok(answer.equals(wanted));
      const bySocket = await new Promise<Buffer>((resolve, reject) => {
        const client = connect({ path: socket, allowHalfOpen: true });
        const chunks: Buffer[] = [];
        client.on('data', (chunk) => chunks.push(chunk));
        client.on('end', () => resolve(Buffer.concat(chunks)));
        client.on('error', reject);
        client.end(data);
      });
      assert.ok(bySocket.equals(wanted));
    } finally {
      program.child.kill('SIGINT');
      const { status, stderr } = await program.ended;
      server.close();
      assert.equal(status, 130, stderr);
    }
  },
);

test('cli forward - a taken port is one line', { timeout: 60_000 }, async () => {
  const { server, port } = await echoServer('');
  const { status, stderr } = await currentUp().holdfast([
    'forward',
    'local',
    '-L',
    `${String(port)}:h:1`,
  ]);
  server.close();
  assert.equal(status, 1);
  assert.match(
    stderr,
    new RegExp(`^holdfast: ERR_FORWARD_FAILED: port ${String(port)} is taken\nhint: `),
  );
});

test(
  'cli config-ssh - what it writes into a file of the user works beside the rest',
  WITH_SSH,
  async () => {
    const file = join(tempDir(), 'config');
    writeFileSync(file, 'Host other\n  HostName 192.0.2.1\nHost *\n  StrictHostKeyChecking no\n');
    const { status, stderr } = await currentUp().holdfast(['config-ssh', '--file', file]);
    assert.equal(status, 0, stderr);
    const run = (args: readonly string[]) =>
      runProgram('ssh', ['-F', file, ...args], { env: cleanEnvironment(tempDir()), cwd: '/' });
    assert.equal((await run(['local.holdfast', 'exit 4'])).status, 4);
    const other = (await run(['-G', 'other'])).stdout.toString();
    assert.match(other, /^hostname 192\.0\.2\.1$/m);
    assert.match(other, /^stricthostkeychecking (no|false)$/m);
    const ours = (await run(['-G', 'local.holdfast'])).stdout.toString();
    assert.match(ours, /^stricthostkeychecking (yes|true)$/m);
    const again = await currentUp().holdfast(['config-ssh', '--file', file]);
    assert.match(again.stdout.toString(), /is up to date/);
  },
);

test('cli terminals, kill, ping - over the control channel', { timeout: 120_000 }, async () => {
  const ping = await currentUp().holdfast(['ping', 'local', '-c', '1', '--json']);
  const { samplesMs } = JSON.parse(ping.stdout.toString()) as { samplesMs: number[] };
  assert.equal(samplesMs.length, 1);
  const list = await currentUp().holdfast(['terminals', 'local', '--json']);
  assert.deepEqual(JSON.parse(list.stdout.toString()), []);
  const kill = await currentUp().holdfast(['kill', 'local', 'none']);
  assert.equal(kill.status, 4);
  assert.match(kill.stderr, /^holdfast: ERR_TERMINAL_NOT_FOUND: /);
});
