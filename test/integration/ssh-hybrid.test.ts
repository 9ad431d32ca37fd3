import assert from 'node:assert/strict';
import { createHash, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import ssh2, { type Client } from 'ssh2';
import { limits } from '../../src/shared/common/index.js';
import { HYBRID_KEX, offerHybridKex } from '../../src/shared/node/hybrid-kex/index.js';
import { checkLeaks, waitFor } from '../support/index.js';
import { NUMBER, RawSsh, readStrings, sshString } from '../support/raw-ssh.js';
import { dial, SshHarness } from '../support/ssh-harness.js';

checkLeaks();

const CURVE = 'curve25519-sha256';
const STRICT = 'kex-strict-c-v00@openssh.com';

let harness: SshHarness;

before(async () => {
  harness = await new SshHarness().start();
});

after(async () => {
  await harness.close();
  assert.equal(harness.server.connections, 0);
});

/** ssh2's client with the hybrid. */
async function hybridClient(
  sock: Duplex = harness.open(),
): Promise<{ client: Client; agreed: string[] }> {
  const client = new ssh2.Client();
  const agreed: string[] = [];
  client.on('error', () => undefined);
  client.on('handshake', ({ kex }) => agreed.push(kex));
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    client.once('error', reject);
    client.connect({ username: 'holdfast', sock });
    offerHybridKex((client as unknown as { _protocol: object })._protocol);
  });
  return { client, agreed };
}

/** Runs a command to its end, with input that goes on through changes of keys. */
function run(client: Client, command: string, input: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) {
        reject(error);
        return;
      }
      const output: Buffer[] = [];
      channel.on('data', (chunk: Buffer) => output.push(chunk));
      channel.on('close', () => resolve(Buffer.concat(output)));
      channel.end(input);
    });
  });
}

const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');

/** The client's side of the draft, from the document. */
function byHand(): { init: Buffer; finish: (reply: Buffer) => Buffer } {
  const mlkem = ml_kem768.keygen();
  const own = generateKeyPairSync('x25519');
  const raw = own.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    init: Buffer.concat([mlkem.publicKey, raw]),
    finish: (reply) => {
      assert.equal(reply.length, 1_088 + 32);
      const key = Buffer.concat([SPKI_X25519, reply.subarray(1_088)]);
      const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
      const hash = createHash('sha256')
        .update(ml_kem768.decapsulate(Uint8Array.from(reply.subarray(0, 1_088)), mlkem.secretKey))
        .update(diffieHellman({ privateKey: own.privateKey, publicKey }));
      return sshString(hash.digest());
    },
  };
}

/** As RFC 8731: the secret as an mpint. */
function curveByHand(): { init: Buffer; finish: (reply: Buffer) => Buffer } {
  const own = generateKeyPairSync('x25519');
  return {
    init: own.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
    finish: (reply) => {
      const key = Buffer.concat([SPKI_X25519, reply]);
      const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
      let secret = diffieHellman({ privateKey: own.privateKey, publicKey });
      while (secret[0] === 0) secret = secret.subarray(1);
      const sign = Buffer.alloc((secret[0] ?? 0) >= 0x80 ? 1 : 0);
      return sshString(Buffer.concat([sign, secret]));
    },
  };
}

/** The keys on both sides are the same: a service is asked for and granted under them. */
async function speak(client: RawSsh, extensions: boolean): Promise<void> {
  client.send(Buffer.concat([Buffer.from([NUMBER.SERVICE_REQUEST]), sshString('ssh-userauth')]));
  if (extensions) await client.receive(NUMBER.EXT_INFO);
  const [service] = readStrings(await client.receive(NUMBER.SERVICE_ACCEPT), 1, 1);
  assert.equal(service?.toString(), 'ssh-userauth');
}

function rawClient(): { client: RawSsh; stream: Duplex } {
  const stream = harness.open();
  return { client: new RawSsh(stream), stream };
}

test('ssh hybrid - a client by hand agrees on hash and keys, and the server prefers the hybrid', async () => {
  for (const markers of [[], [STRICT], ['ext-info-c', STRICT]]) {
    const { client, stream } = rawClient();
    const offered = await client.begin([HYBRID_KEX, CURVE, ...markers]);
    assert.deepEqual(offered, [
      HYBRID_KEX,
      CURVE,
      `${CURVE}@libssh.org`,
      'kex-strict-s-v00@openssh.com',
    ]);
    const { init, finish } = byHand();
    await client.exchange(init, finish, harness.hostKey.sshPublicKey);
    await speak(client, markers.includes('ext-info-c'));
    stream.destroy();
  }
});

test('ssh hybrid - the order of the client decides, and clients without it are served as before', async () => {
  for (const kex of [[CURVE, HYBRID_KEX], [CURVE], ['sntrup761x25519-sha512', CURVE, HYBRID_KEX]]) {
    const { client, stream } = rawClient();
    await client.begin(kex);
    const { init, finish } = curveByHand();
    await client.exchange(init, finish, harness.hostKey.sshPublicKey);
    await speak(client, false);
    stream.destroy();
  }
  const { stdout } = await harness.ssh(['-o', `KexAlgorithms=${CURVE}`, 'agent', 'echo alive']);
  assert.equal(stdout.toString(), 'alive\n');
});

test('ssh hybrid - a packet sent ahead on a guess counts if the guess was right, and only then', async () => {
  const right = rawClient();
  await right.client.begin([HYBRID_KEX, CURVE], { guessed: true });
  const first = byHand();
  await right.client.exchange(first.init, first.finish, harness.hostKey.sshPublicKey);
  await speak(right.client, false);
  right.stream.destroy();
  // The second is what clients without the hybrid guess: right for them, and not what this server prefers.
  for (const [kex, makeKeys] of [
    [['sntrup761x25519-sha512', HYBRID_KEX, CURVE], byHand],
    [[CURVE], curveByHand],
  ] as const) {
    const { client, stream } = rawClient();
    await client.begin(kex, { guessed: true });
    client.send(Buffer.concat([Buffer.from([NUMBER.ECDH_INIT]), sshString('a wrong guess')]));
    const { init, finish } = makeKeys();
    await client.exchange(init, finish, harness.hostKey.sshPublicKey);
    await speak(client, false);
    stream.destroy();
  }
});

test('ssh hybrid - bad keys end the connection with the reason of RFC 4253, without a signature', async () => {
  const { init } = byHand();
  const unreduced = Buffer.from(init);
  unreduced.fill(0xff, 0, 3);
  const smallOrder = Buffer.from(init);
  smallOrder.fill(0, 1_184);
  const longer = Buffer.concat([init, Buffer.alloc(1)]);
  for (const bad of [
    Buffer.alloc(0),
    init.subarray(0, 32),
    init.subarray(0, 1_184),
    init.subarray(1),
    longer,
    unreduced,
    smallOrder,
  ]) {
    const { client, stream } = rawClient();
    await client.begin([HYBRID_KEX, STRICT]);
    client.send(Buffer.concat([Buffer.from([NUMBER.ECDH_INIT]), sshString(bad)]));
    const payload = await client.receive(NUMBER.DISCONNECT);
    assert.equal(payload.readUInt32BE(1), 3);
    stream.destroy();
  }
  await waitFor(() => harness.server.connections === 0);
});

test('ssh hybrid - a stray packet instead of the keys ends the connection', async () => {
  const { client, stream } = rawClient();
  await client.begin([HYBRID_KEX]);
  client.send(Buffer.from([NUMBER.NEWKEYS]));
  await client.receive(NUMBER.DISCONNECT);
  stream.destroy();
});

test('ssh hybrid - new keys from either side, again and again, lose nothing', async () => {
  const own = await new SshHarness({ server: { rekeyBytes: 300 * limits.KIB } }).start();
  try {
    const { client, agreed } = await hybridClient(own.open());
    const input = Buffer.alloc(4 * limits.MIB, 'all of it in the right order ');
    const mine = setInterval(() => {
      (client as unknown as { _protocol: { rekey(): void } })._protocol.rekey();
    }, 20);
    const output = await run(client, 'cat', input).finally(() => clearInterval(mine));
    const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    assert.equal(sum(output), sum(input));
    assert.ok(agreed.length > 4, `only ${String(agreed.length)} key exchanges`);
    assert.deepEqual(new Set(agreed), new Set([HYBRID_KEX]));
    client.end();
    const logged = own.records.filter(({ message }) => message === 'ssh keys agreed');
    assert.ok(logged.length >= agreed.length);
  } finally {
    await own.close();
  }
});

test('ssh hybrid - a client that has it takes a server that has not', async () => {
  const server = new ssh2.Server(
    { hostKeys: [harness.hostKey.sshPrivateKey()], algorithms: { kex: [CURVE] } },
    (other) => {
      other.on('error', () => undefined);
      other.on('authentication', (context) => context.accept());
    },
  );
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { client, agreed } = await hybridClient(await dial((server.address() as AddressInfo).port));
  assert.deepEqual(agreed, [CURVE]);
  const closed = once(server, 'close');
  client.end();
  server.close();
  await closed;
});
