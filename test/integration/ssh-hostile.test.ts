import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import ssh2, { type Client, type ConnectConfig } from 'ssh2';
import { limits } from '../../src/shared/common/index.js';
import {
  MESSAGE,
  PayloadWriter,
  sendPayload,
  type Ssh2Protocol,
} from '../../src/main/agent/ssh/internals.js';
import { checkLeaks, seededRandom, waitFor } from '../support/index.js';
import { SshHarness } from '../support/ssh-harness.js';

checkLeaks();

let harness: SshHarness;

before(async () => {
  harness = await new SshHarness().start();
});

after(async () => {
  await harness.close();
  assert.equal(harness.server.connections, 0);
});

/** After every attack: the agent serves as before. */
async function stillServes(): Promise<void> {
  const { stdout } = await harness.ssh(['agent', 'echo alive']);
  assert.equal(stdout.toString(), 'alive\n');
}

/** The protocol of ssh2's client; the inner parts are the same as the server's. */
const protocolOf = (client: Client): Ssh2Protocol =>
  (client as unknown as { _protocol: Ssh2Protocol })._protocol;

const closeOf = (client: Client): Promise<void> =>
  new Promise((resolve) => {
    client.once('close', () => resolve());
  });

function openSession(sender: number, window: number, packet: number): Buffer {
  return new PayloadWriter()
    .byte(MESSAGE.CHANNEL_OPEN)
    .string('session')
    .uint32(sender)
    .uint32(window)
    .uint32(packet)
    .finish();
}

/** A client whose connection layer is ours: every handler is recorded and answered by nobody. */
async function rawClient(): Promise<{
  client: Client;
  protocol: Ssh2Protocol;
  seen: { name: string; fields: unknown[] }[];
}> {
  const client = await harness.client();
  const protocol = protocolOf(client);
  const seen: { name: string; fields: unknown[] }[] = [];
  for (const name of [
    'CHANNEL_OPEN_CONFIRMATION',
    'CHANNEL_OPEN_FAILURE',
    'CHANNEL_DATA',
    'CHANNEL_EXTENDED_DATA',
    'CHANNEL_SUCCESS',
    'CHANNEL_FAILURE',
    'CHANNEL_REQUEST',
    'CHANNEL_EOF',
    'CHANNEL_CLOSE',
    'CHANNEL_WINDOW_ADJUST',
    'REQUEST_SUCCESS',
    'REQUEST_FAILURE',
  ]) {
    protocol._handlers[name] = (_protocol, ...fields) => {
      seen.push({ name, fields });
    };
  }
  return { client, protocol, seen };
}

function exec(channel: number, command: string): Buffer {
  return new PayloadWriter()
    .byte(MESSAGE.CHANNEL_REQUEST)
    .uint32(channel)
    .string('exec')
    .boolean(true)
    .string(command)
    .finish();
}

test('ssh hostile - security 8: packet sizes that cannot be served are refused at the open', async () => {
  const { client, protocol, seen } = await rawClient();
  const sizes = [0, 1, 8, 255, 2 ** 31 + 1, 2 ** 32 - 1];
  for (const [index, size] of sizes.entries()) {
    sendPayload(protocol, openSession(index, 1_000_000, size));
  }
  await waitFor(() => seen.length === sizes.length);
  assert.ok(seen.every(({ name }) => name === 'CHANNEL_OPEN_FAILURE'));
  client.end();
  await stillServes();
});

test('ssh hostile - security 8: the smallest packets that are served lose nothing', async () => {
  const { client, protocol, seen } = await rawClient();
  sendPayload(protocol, openSession(0, 2 ** 32 - 1, limits.SSH_MIN_PACKET_BYTES));
  await waitFor(() => seen.length === 1);
  sendPayload(protocol, exec(0, 'head -c 100000 /dev/zero'));
  await waitFor(() => seen.some(({ name }) => name === 'CHANNEL_CLOSE'));
  const data = seen.filter(({ name }) => name === 'CHANNEL_DATA');
  const sizes = data.map(({ fields }) => (fields[1] as Buffer).length);
  assert.ok(Math.max(...sizes) <= limits.SSH_MIN_PACKET_BYTES);
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    100_000,
  );
  client.end();
});

test('ssh hostile - security 9: data beyond the window ends the connection, not the memory', async () => {
  const { client, protocol, seen } = await rawClient();
  sendPayload(protocol, openSession(0, 1_000_000, 32_768));
  await waitFor(() => seen.length === 1);
  sendPayload(protocol, exec(0, 'sleep 100'));
  await waitFor(() => seen.some(({ name }) => name === 'CHANNEL_SUCCESS'));
  const closed = closeOf(client);
  const block = Buffer.alloc(32_768);
  for (let sent = 0; sent < 3 * limits.SSH_WINDOW_BYTES; sent += block.length) {
    protocol.channelData(0, block);
  }
  await closed;
  await waitFor(() => harness.registry.size === 0);
  assert.ok(harness.records.some(({ fields }) => /window allows/.test(String(fields['reason']))));
  await stillServes();
});

test('ssh hostile - security 9: a reader that stops holds back the source, and loses nothing', async () => {
  const client = await harness.client();
  const stream = harness.streams.at(-1);
  assert.ok(stream !== undefined);
  const bytes = 24 * 1024 * 1024;
  const expected = createHash('sha256').update(Buffer.alloc(bytes, 'a\n')).digest('hex');
  const hash = createHash('sha256');
  let got = 0;
  const done = new Promise<void>((resolve, reject) => {
    client.exec(`yes a | head -c ${String(bytes)}`, (error, channel) => {
      if (error !== undefined) {
        reject(error);
        return;
      }
      // A window of 4 GiB: nothing but the connection itself holds the server back.
      protocolOf(client).channelWindowAdjust(0, 2 ** 31);
      channel.on('data', (chunk: Buffer) => {
        got += chunk.length;
        hash.update(chunk);
      });
      channel.on('close', () => resolve());
    });
  });
  await waitFor(() => got > 0);
  stream.pause();
  const before = process.memoryUsage().rss;
  await new Promise((resolve) => setTimeout(resolve, 400));
  const { rss } = process.memoryUsage();
  assert.ok(rss - before < 16 * limits.MIB, `grew by ${String(rss - before)} bytes`);
  assert.ok(got < bytes, 'the source was held back');
  stream.resume();
  await done;
  assert.equal(got, bytes);
  assert.equal(hash.digest('hex'), expected);
  client.end();
});

test('ssh hostile - a window beyond 2^32-1 ends the connection', async () => {
  const { client, protocol, seen } = await rawClient();
  sendPayload(protocol, openSession(0, 2 ** 32 - 1, 32_768));
  await waitFor(() => seen.length === 1);
  const closed = closeOf(client);
  protocol.channelWindowAdjust(0, 1);
  await closed;
  await stillServes();
});

test('ssh hostile - a window for a channel that has closed ends nothing (paramiko grants it late)', async () => {
  const { client, protocol, seen } = await rawClient();
  sendPayload(protocol, openSession(0, 1_000_000, 32_768));
  await waitFor(() => seen.length === 1);
  sendPayload(protocol, exec(0, 'true'));
  await waitFor(() => seen.some(({ name }) => name === 'CHANNEL_CLOSE'));
  protocol.channelClose(0);
  protocol.channelWindowAdjust(0, 32_768);
  seen.length = 0;
  sendPayload(protocol, openSession(1, 1_000_000, 32_768));
  await waitFor(() => seen.length === 1);
  assert.equal(seen[0]?.name, 'CHANNEL_OPEN_CONFIRMATION');
  const closed = closeOf(client);
  protocol.channelEOF(0);
  await closed;
  await stillServes();
});

test('ssh hostile - security 11: a close with output pending releases the command', async () => {
  const { client, protocol, seen } = await rawClient();
  sendPayload(protocol, openSession(0, 1_000, 32_768));
  await waitFor(() => seen.length === 1);
  sendPayload(protocol, exec(0, 'yes'));
  await waitFor(() => seen.some(({ name }) => name === 'CHANNEL_DATA'));
  protocol.channelClose(0);
  await waitFor(() => seen.some(({ name }) => name === 'CHANNEL_CLOSE'));
  await waitFor(() => harness.registry.size === 0);
  client.end();
});

test('ssh hostile - security 12: channels are capped, and a flood of opens ends the connection', async () => {
  const { client, protocol, seen } = await rawClient();
  const closed = closeOf(client);
  for (let index = 0; index < 20_000; index += 1) {
    sendPayload(protocol, openSession(index, 1_000, 32_768));
  }
  await closed;
  const accepted = seen.filter(({ name }) => name === 'CHANNEL_OPEN_CONFIRMATION').length;
  assert.equal(accepted, limits.SSH_SESSIONS);
  await stillServes();
});

test('ssh hostile - security 12: every global request is answered in order', async () => {
  const { client, protocol, seen } = await rawClient();
  const request = (name: string, data?: Buffer): Buffer =>
    Buffer.concat([
      new PayloadWriter().byte(MESSAGE.GLOBAL_REQUEST).string(name).boolean(true).finish(),
      data ?? Buffer.alloc(0),
    ]);
  const forward = new PayloadWriter().string('localhost').uint32(0).finish();
  for (let round = 0; round < 4; round += 1) {
    sendPayload(protocol, request('tcpip-forward', forward));
    for (let index = 0; index < 10; index += 1) {
      sendPayload(protocol, request('keepalive@openssh.com'));
    }
  }
  await waitFor(() => seen.length === 44);
  const order = seen.map(({ name }) => (name === 'REQUEST_SUCCESS' ? 'S' : 'F')).join('');
  assert.equal(order, `S${'F'.repeat(10)}`.repeat(4));
  client.end();
});

test('ssh hostile - unknown messages are answered, those of a server end the connection', async () => {
  const { client, protocol } = await rawClient();
  sendPayload(protocol, Buffer.from([200]));
  await new Promise<void>((resolve, reject) => {
    client.exec('true', (error) => (error === undefined ? resolve() : reject(error)));
    setTimeout(resolve, 200);
  });
  const closed = closeOf(client);
  sendPayload(protocol, Buffer.from([52]));
  await closed;
  await stillServes();
});

test('ssh hostile - B-05: before authentication every other message ends the connection', async () => {
  const numbers = [6, 51, 52, 53, 60, 61, 80, 81, 82, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100];
  numbers.push(8, 70, 79, 83, 101, 127, 128, 200, 255);
  for (const number of numbers) {
    const client = new ssh2.Client();
    client.on('error', () => undefined);
    let ready = false;
    client.once('ready', () => {
      ready = true;
    });
    const closed = closeOf(client);
    client.once('handshake', () => {
      sendPayload(protocolOf(client), Buffer.concat([Buffer.from([number]), Buffer.alloc(40)]));
    });
    client.connect({ username: 'u', sock: harness.open() });
    await closed;
    assert.ok(!ready, `message ${String(number)} was let through`);
  }
  await stillServes();
});

test('ssh hostile - security 12: no signature but a true one by a listed key logs in', async () => {
  const key = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
  const other = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
  const rsa = ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 });
  const keyed = await new SshHarness({
    server: { authorizedKeys: [key.public, rsa.public] },
  }).start();
  const login = async (config: ConnectConfig): Promise<boolean> => {
    try {
      (await keyed.client(config)).end();
      return true;
    } catch {
      return false;
    }
  };
  assert.equal(await login({}), false, 'none');
  assert.equal(await login({ password: 'x' }), false, 'password');
  assert.equal(await login({ privateKey: other.private }), false, 'another key');
  assert.equal(await login({ privateKey: key.private }), true, 'the right key');
  assert.equal(await login({ privateKey: rsa.private }), true, 'the right RSA key');
  const random = seededRandom();
  const parsed = ssh2.utils.parseKey(key.public);
  const foreign = ssh2.utils.parseKey(other.private);
  assert.ok(!(parsed instanceof Error) && !(foreign instanceof Error));
  for (let round = 0; round < 30; round += 1) {
    // The listed key, but signatures of nobody: garbage of any length, empty, or by another key.
    const forge = (data: Buffer): Buffer =>
      round % 3 === 0 ? foreign.sign(data) : Buffer.from(random.bytes(random.int(1, 90)));
    class Forger extends ssh2.BaseAgent {
      override getIdentities(callback: (error: undefined, keys: never[]) => void): void {
        callback(undefined, [parsed as never]);
      }
      override sign(...args: unknown[]): void {
        const callback = args.at(-1) as (error: undefined, signature: Buffer) => void;
        callback(undefined, forge(args[1] as Buffer));
      }
    }
    const agent = new Forger() as unknown as NonNullable<ConnectConfig['agent']>;
    assert.equal(await login({ agent }), false, `forged signature ${String(round)}`);
  }
  await keyed.close();
});

test('ssh hostile - security 12: attempts to authenticate are counted', async () => {
  const keyed = await new SshHarness({
    server: { authorizedKeys: [ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).public] },
  }).start();
  let attempts = 0;
  const authHandler = (): object => {
    attempts += 1;
    return { type: 'password', username: 'u', password: 'x' };
  };
  await assert.rejects(keyed.client({ authHandler }));
  assert.ok(attempts <= limits.SSH_AUTH_ATTEMPTS + 1, String(attempts));
  await keyed.close();
});

test('ssh hostile - security 12: nothing but modern algorithms and no compression is offered', async () => {
  const { stderr } = await harness.ssh(['-vv', '-o', 'LogLevel=DEBUG2', 'agent', 'true']);
  const offer = stderr.slice(stderr.indexOf('peer server KEXINIT proposal'));
  const field = (name: string): string =>
    new RegExp(`${name}: (.*)`).exec(offer)?.[1]?.trim() ?? 'absent';
  assert.equal(field('compression stoc'), 'none');
  assert.equal(field('compression ctos'), 'none');
  assert.equal(
    field('KEX algorithms'),
    'mlkem768x25519-sha256,curve25519-sha256,curve25519-sha256@libssh.org,kex-strict-s-v00@openssh.com',
  );
  assert.equal(field('host key algorithms'), 'ssh-ed25519');
  assert.doesNotMatch(field('ciphers stoc'), /cbc|3des|arcfour/);
  assert.doesNotMatch(field('MACs stoc'), /sha1|md5/);
});

test('ssh hostile - identification lines that are none end the connection', async () => {
  const lines = [
    Buffer.alloc(64 * 1024, 'x'),
    Buffer.from('HTTP/1.1 GET /\r\n\r\n'),
    Buffer.from('SSH-1.99-old\r\n'),
    Buffer.from([0, 0, 0, 0, 10]),
  ];
  for (const line of lines) {
    const stream = harness.open();
    stream.resume();
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.write(line);
    await closed;
  }
  await stillServes();
});

test('ssh hostile - malformed pty-req, env floods and odd signals harm nobody', async () => {
  const { client, protocol, seen } = await rawClient();
  sendPayload(protocol, openSession(0, 1_000_000, 32_768));
  await waitFor(() => seen.length === 1);
  const request = (type: string, data: Buffer): Buffer =>
    Buffer.concat([
      new PayloadWriter()
        .byte(MESSAGE.CHANNEL_REQUEST)
        .uint32(0)
        .string(type)
        .boolean(true)
        .finish(),
      data,
    ]);
  for (let index = 0; index < 2_000; index += 1) {
    const pair = new PayloadWriter()
      .string(`LC_${String(index)}`)
      .string('x'.repeat(300))
      .finish();
    sendPayload(protocol, request('env', pair));
  }
  await waitFor(() => seen.length === 2_001);
  const taken = seen.filter(({ name }) => name === 'CHANNEL_SUCCESS').length;
  assert.ok(taken <= limits.SSH_ENV_COUNT && taken * 300 <= limits.SSH_ENV_BYTES, String(taken));
  const pty = new PayloadWriter()
    .string('../../etc/passwd\0')
    .uint32(2 ** 32 - 1)
    .uint32(0)
    .uint32(0)
    .uint32(0)
    // An opcode of the future, one cut short, and one that nobody knows.
    .string(Buffer.from([159, 0, 0, 0, 1, 53, 0, 0, 0, 0, 200, 1]))
    .finish();
  sendPayload(protocol, request('pty-req', pty));
  sendPayload(protocol, request('pty-req', pty));
  sendPayload(protocol, request('signal', new PayloadWriter().string('NOSUCH').finish()));
  sendPayload(protocol, request('x11-req', new PayloadWriter().byte(1).finish().fill(0)));
  await waitFor(() => seen.length >= 2_004);
  assert.equal(seen[2_001]?.name, 'CHANNEL_SUCCESS');
  assert.equal(seen[2_002]?.name, 'CHANNEL_FAILURE');
  assert.equal(seen[2_003]?.name, 'CHANNEL_FAILURE');
  client.end();
  await stillServes();
});

test('ssh hostile - random bytes after the handshake only end their own connection', async () => {
  const random = seededRandom();
  for (let round = 0; round < 20; round += 1) {
    const { client, protocol } = await rawClient();
    const closed = closeOf(client);
    for (let packet = 0; packet < 50; packet += 1) {
      const type = random.int(80, 100);
      const body = Buffer.from(random.bytes(random.int(0, 60)));
      try {
        sendPayload(protocol, Buffer.concat([Buffer.from([type]), body]));
      } catch {
        break;
      }
    }
    client.end();
    await closed;
  }
  await stillServes();
});
