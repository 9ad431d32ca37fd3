import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import ssh2 from 'ssh2';
import type { Agent } from '../../src/main/agent/index.js';
import { PayloadWriter } from '../../src/main/agent/ssh/internals.js';
import { beginHybrid, HYBRID_KEX } from '../../src/shared/node/hybrid-kex/index.js';
import { checkLeaks, waitFor } from '../support/index.js';
import { startLocalAgent } from '../support/local-agent.js';

checkLeaks();

const KEXINIT = 20;
const KEX_ECDH_INIT = 30;
const KEX_ECDH_REPLY = 31;
const EMPTY = Buffer.alloc(0);

let agent: Agent;
beforeEach(async () => {
  const started = await startLocalAgent({
    authorizedKeys: [ssh2.utils.generateKeyPairSync('ed25519').public],
    sshListen: { host: '127.0.0.1', port: 0 },
  });
  agent = started.agent;
});
afterEach(() => agent.close());

/** A packet before any keys are there (RFC 4253 section 6). */
function packet(payload: Buffer): Buffer {
  const padding = 16 - ((payload.length + 5) % 8);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + payload.length + padding);
  head.writeUInt8(padding, 4);
  return Buffer.concat([head, payload, Buffer.alloc(padding)]);
}

/** A KEXINIT that says that a guess follows. */
function kexInit(kex: string, hostKeys: string): Buffer {
  const writer = new PayloadWriter().byte(KEXINIT);
  const lists = [
    kex,
    hostKeys,
    ...twice('aes128-ctr'),
    ...twice('hmac-sha2-256'),
    ...twice('none'),
  ];
  const body = new PayloadWriter();
  for (const list of [...lists, EMPTY, EMPTY]) body.string(list);
  return Buffer.concat([writer.finish(), randomBytes(16), body.boolean(true).uint32(0).finish()]);
}

const twice = (value: string): string[] => [value, value];

const ecdhInit = (key: Uint8Array = randomBytes(32)): Buffer =>
  new PayloadWriter().byte(KEX_ECDH_INIT).string(key).finish();

/** Message numbers of the packets that the server has sent. */
function messages(received: Buffer): number[] {
  const found: number[] = [];
  let at = received.indexOf('\r\n') + 2;
  while (at > 1 && at + 6 <= received.length) {
    found.push(received.readUInt8(at + 5));
    at += 4 + received.readUInt32BE(at);
  }
  return found;
}

async function dial(...packets: readonly Buffer[]): Promise<{ socket: Socket; seen(): number[] }> {
  const socket = connect(agent.sshPort, '127.0.0.1');
  let received = EMPTY as Buffer;
  socket.on('data', (data) => (received = Buffer.concat([received, data])));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  // All at once, as dropbear sends it.
  socket.write(Buffer.concat([Buffer.from('SSH-2.0-guess\r\n'), ...packets.map(packet)]));
  return { socket, seen: () => messages(received) };
}

test('ssh first guess - a right one is answered at once (ssh2: every guess is dropped)', async () => {
  const guess = ecdhInit(beginHybrid().init);
  const { socket, seen } = await dial(kexInit(HYBRID_KEX, 'ssh-ed25519'), guess);
  await waitFor(() => seen().includes(KEX_ECDH_REPLY), { what: 'an answer to the guess' });
  socket.destroy();
});

for (const [what, kex, hostKeys] of [
  ['key exchange', 'ecdh-sha2-nistp256,curve25519-sha256', 'ssh-ed25519'],
  // What clients without the hybrid guess, and this server prefers the hybrid.
  ['key exchange of dropbear', 'curve25519-sha256', 'ssh-ed25519'],
] as const) {
  test(`ssh first guess - a wrong one of the ${what} is dropped, and only that`, async () => {
    const wrong = ecdhInit(randomBytes(65));
    const { socket, seen } = await dial(kexInit(kex, hostKeys), wrong, ecdhInit());
    await waitFor(() => seen().includes(KEX_ECDH_REPLY), { what: 'an answer to the second' });
    assert.equal(socket.closed, false);
    socket.destroy();
  });
}
