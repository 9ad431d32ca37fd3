import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { ClientChannel } from 'ssh2';
import { PayloadWriter } from '../../src/main/agent/ssh/internals.js';
import type { TerminalRegistry } from '../../src/main/agent/terminals/index.js';
import { limits } from '../../src/shared/common/index.js';
import { checkLeaks, requireProgram, tempDir, waitFor } from '../support/index.js';
import { requestOn } from '../support/channel-request.js';
import { dial, SshHarness, type HarnessOptions } from '../support/ssh-harness.js';
import { createTerminals } from '../support/terminals.js';

checkLeaks();

const WITH_X11 = requireProgram('ssh', 'xauth', 'xdpyinfo');
const FIRST_PORT = 6_000 + limits.X11_FIRST_DISPLAY;
/** Displays of tests, far from those that are forwarded. */
const TEST_DISPLAY = 700;
const COOKIE = randomBytes(16).toString('hex');
const REASON = 'the display of the test says no';

/** A display that lets nobody in and says so, and the cookies that it was shown. */
class Display {
  readonly cookies: string[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    let setup = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      setup = Buffer.concat([setup, chunk]);
      if (setup.length < 12) return;
      const padded = (length: number): number => Math.ceil(length / 4) * 4;
      const [name, data] = [setup.readUInt16LE(6), setup.readUInt16LE(8)];
      const dataAt = 12 + padded(name);
      if (setup.length < dataAt + padded(data)) return;
      const protocol = setup.toString('latin1', 12, 12 + name);
      this.cookies.push(`${protocol} ${setup.toString('hex', dataAt, dataAt + data)}`);
      // X Window System Protocol, connection setup: failed, with a reason.
      const reply = Buffer.alloc(8 + padded(REASON.length));
      reply[1] = REASON.length;
      reply.writeUInt16LE(11, 2);
      reply.writeUInt16LE(padded(REASON.length) / 4, 6);
      reply.write(REASON, 8);
      socket.end(reply);
    });
  });

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

let terminals: TerminalRegistry;
let harness: SshHarness;
let display: Display;
let home: string;
const inherited = { display: process.env['DISPLAY'], authority: process.env['XAUTHORITY'] };

function options(server: HarnessOptions['server']): HarnessOptions {
  const user = { platform: process.platform, env: { HOME: home }, name: 'ada', shell: '/bin/sh' };
  return { server: { terminals, ...server }, prepare: { user: () => ({ ...user, home }) } };
}

before(async () => {
  home = join(tempDir(), 'home');
  mkdirSync(home);
  display = new Display();
  await display.listen(6_000 + TEST_DISPLAY);
  // For OpenSSH's client: the display that it has, and its cookie.
  process.env['DISPLAY'] = `127.0.0.1:${String(TEST_DISPLAY)}`;
  process.env['XAUTHORITY'] = join(tempDir(), 'Xauthority');
  if (WITH_X11.skip === false) {
    const add = ['-q', 'add', process.env['DISPLAY'], '.', COOKIE];
    execFileSync('xauth', add, { stdio: 'ignore' });
  }
  terminals = createTerminals(() => 'exit 0');
  harness = await new SshHarness(options({ x11Forwarding: true })).start();
});

after(async () => {
  await harness.close();
  await terminals.close();
  await display.close();
  for (const [name, value] of [
    ['DISPLAY', inherited.display],
    ['XAUTHORITY', inherited.authority],
  ] as const) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
});

/** What the authority file of the session's user holds now. The server is in this process, and may hold its lock. */
async function cookies(): Promise<string[]> {
  const env = { ...process.env, XAUTHORITY: join(home, '.Xauthority') };
  const { stdout } = await promisify(execFile)('xauth', ['-q', 'list'], { env });
  return stdout.split('\n').filter((line) => line !== '');
}

/** Listens on `host` at `port`. Absent: somebody does already. */
function listenAt(host: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen(port, host, () => resolve(server));
  });
}

/** The same at all of `ports`. Waits for sessions that have just ended, and give their displays back a moment later. */
async function occupy(host: string, ports: readonly number[]): Promise<Server[]> {
  const servers: Server[] = [];
  for (const port of ports) {
    await waitFor(
      async () => {
        const server = await listenAt(host, port);
        if (server !== undefined) servers.push(server);
        return server !== undefined;
      },
      { what: `port ${String(port)} of ${host}` },
    );
  }
  return servers;
}

const release = (servers: readonly Server[]): Promise<void[]> =>
  Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
  );

test(
  'ssh x11 - programs reach the display of the client, whose cookie never gets here',
  WITH_X11,
  async () => {
    for (const [index, args] of [
      ['-Y'],
      ['-X', '-o', 'ForwardX11Trusted=yes'],
      ['-Y', '-tt'],
    ].entries()) {
      const script = 'echo "$DISPLAY"; xauth list; xdpyinfo';
      const { stdout, stderr } = await harness.ssh([...args, 'agent', script], null);
      const [name = '', entry = ''] = stdout.toString().split(/\r?\n/);
      assert.match(name, /^localhost:\d+\.0$/);
      assert.match(entry, /\/unix:\d+\s+MIT-MAGIC-COOKIE-1\s+[0-9a-f]{32}$/);
      assert.doesNotMatch(entry, new RegExp(COOKIE));
      assert.ok(`${stdout.toString()}${stderr}`.includes(REASON), stderr);
      assert.equal(display.cookies.length, index + 1);
      assert.equal(display.cookies[index], `MIT-MAGIC-COOKIE-1 ${COOKIE}`);
      await waitFor(async () => (await cookies()).length === 0, {
        what: 'the cookie to be removed',
      });
    }
  },
);

test('ssh x11 - a program with a wrong cookie does not reach the display', WITH_X11, async () => {
  const seen = display.cookies.length;
  const script = `xauth -q add "unix:\${DISPLAY#localhost:}" . ${'00'.repeat(16)}; xdpyinfo`;
  const { stderr, status } = await harness.ssh(['-Y', '-o', 'LogLevel=INFO', 'agent', script]);
  assert.notEqual(status, 0);
  assert.match(stderr, /wrong authentication|unable to open display/);
  assert.equal(display.cookies.length, seen);
});

test('ssh x11 - sessions have displays and cookies of their own', WITH_X11, async () => {
  const script = 'echo "$DISPLAY"; read line; xdpyinfo';
  const running = [0, 1, 2].map(() => harness.spawnSsh(['-Y', 'agent', script]));
  const texts = running.map(() => '');
  running.forEach((child, index) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        texts[index] = `${texts[index] ?? ''}${chunk.toString()}`;
      });
    }
  });
  await waitFor(() => texts.every((text) => text.includes('\n')));
  assert.equal(new Set(texts).size, 3);
  assert.equal(new Set((await cookies()).map((line) => line.split(/\s+/).at(-1))).size, 3);
  const seen = display.cookies.length;
  for (const [index, child] of running.entries()) {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.stdin?.end('\n');
    await ended;
    assert.ok(texts[index]?.includes(REASON), texts[index]);
    await waitFor(async () => (await cookies()).length === 2 - index);
  }
  assert.equal(display.cookies.length, seen + 3);
});

test(
  'ssh x11 - a display that somebody has on either loopback address is left alone',
  WITH_X11,
  async () => {
    const show = async (): Promise<string> =>
      (await harness.ssh(['-Y', 'agent', 'echo "$DISPLAY"'])).stdout.toString().trim();
    const taken = [
      ...(await occupy('127.0.0.1', [FIRST_PORT])),
      ...(await occupy('::1', [FIRST_PORT + 1])),
    ];
    const next = Number(/^localhost:(\d+)\.0$/.exec(await show())?.[1]);
    assert.ok(next >= limits.X11_FIRST_DISPLAY + 2, `display ${String(next)}`);
    await release(taken);
    const ports = Array.from({ length: limits.X11_DISPLAYS }, (_, index) => FIRST_PORT + index);
    const all = await occupy('127.0.0.1', ports);
    const loud = ['-Y', '-o', 'LogLevel=INFO', 'agent', 'echo "[$DISPLAY]"; exit 5'];
    const refused = await harness.ssh(loud);
    await release(all);
    assert.equal(refused.stdout.toString(), '[]\n');
    assert.equal(refused.status, 5);
    assert.match(refused.stderr, /X11 forwarding request failed/);
    assert.match(await show(), /^localhost:\d+\.0$/);
  },
);

test('ssh x11 - it is off unless allowed, and refused without xauth', WITH_X11, async () => {
  for (const server of [{}, { x11Forwarding: true, xauth: '/nowhere/xauth' }]) {
    const other = await new SshHarness(options(server)).start();
    const loud = ['-Y', '-o', 'LogLevel=INFO', 'agent', 'echo "[$DISPLAY]"; exit 6'];
    const { stdout, stderr, status } = await other.ssh(loud);
    assert.equal(stdout.toString(), '[]\n');
    assert.equal(status, 6);
    assert.match(stderr, /X11 forwarding request failed/);
    assert.ok(other.records.some(({ message }) => message === 'x11 forwarding was refused'));
    await other.close();
  }
});

test(
  'ssh x11 - one connection where one was asked for, one request, and no words for xauth',
  WITH_X11,
  async () => {
    const client = await harness.client();
    client.on('x11', (_info, accept) => {
      const channel = accept();
      channel.on('error', () => undefined);
      channel.end('one');
    });
    const open = (protocol: string, cookie: string): Promise<ClientChannel> =>
      new Promise((resolve, reject) => {
        const x11 = { single: true, protocol, cookie, screen: 3 };
        client.exec('echo "$DISPLAY"; cat', { x11 }, (error, channel) => {
          if (error === undefined) resolve(channel);
          else reject(error);
        });
      });
    for (const [protocol, cookie] of [
      ['MIT-MAGIC-COOKIE-1', 'aa\nremove unix:10'],
      ['MIT-MAGIC-COOKIE-1 x', 'aa'],
      ['MIT-MAGIC-COOKIE-1', 'a'.repeat(limits.X11_COOKIE_CHARACTERS + 1)],
    ] as const) {
      await assert.rejects(open(protocol, cookie), /X11/);
    }
    const channel = await open('MIT-MAGIC-COOKIE-1', COOKIE);
    let output = '';
    channel.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await waitFor(() => output.endsWith('\n'));
    const port = 6_000 + Number(/^localhost:(\d+)\.3\n$/.exec(output)?.[1]);
    const again = new PayloadWriter()
      .boolean(true)
      .string('MIT-MAGIC-COOKIE-1')
      .string(COOKIE)
      .uint32(0)
      .finish();
    assert.equal(await requestOn(client, channel, 'x11-req', again), false);
    const socket = await dial(port);
    let received = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    await waitFor(() => received === 'one');
    await assert.rejects(dial(port), { code: 'ECONNREFUSED' });
    socket.destroy();
    const closed = new Promise((resolve) => channel.once('close', resolve));
    channel.end();
    await closed;
    await waitFor(async () => (await cookies()).length === 0);
    client.end();
  },
);
