import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import type { PeerConnection } from '../../src/shared/node/peer/index.js';
import type { WeriftInternals } from '../../src/shared/node/peer/werift/internals.js';
import { checkLeaks, seededRandom } from '../support/index.js';
import { limits } from '../../src/shared/common/index.js';
import { Collector, nextChannel } from '../support/peer/channels.js';
import { startNative } from '../support/peer/start-native.js';
import { webRtcPair } from '../support/peer/webrtc-pair.js';
import { weriftInternals, weriftPair, type Pair } from '../support/peer/pairs.js';

await startNative();
checkLeaks();

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Packets and messages that each threw out of werift and killed the process of whoever got them. */
const MALFORMED: { name: string; send: (from: WeriftInternals) => void }[] = [
  {
    name: 'an unknown kind of payload',
    send: (from) => void from.sctp.send(1, 99, Buffer.from('x'), { ordered: true }),
  },
  {
    name: 'an acknowledgement of a channel that was never opened',
    send: (from) => void from.sctp.send(4_001, 50, Buffer.from([2]), { ordered: true }),
  },
  {
    name: 'a packet with a wrong checksum',
    send: (from) => void sendRaw(from, Buffer.alloc(28, 0xaa)),
  },
  {
    name: 'a packet that is too short',
    send: (from) => void sendRaw(from, Buffer.from([1, 2, 3])),
  },
  {
    name: 'a request to open a channel that is cut',
    send: (from) =>
      void from.sctp.send(4_001, 50, Buffer.from([3, 0, 0, 0, 0]), {
        ordered: true,
      }),
  },
  {
    name: 'a request to open a channel twice',
    send: (from) => {
      const open = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      const { sctp } = from;
      void sctp.send(4_001, 50, open, { ordered: true });
      void sctp.send(4_001, 50, open, { ordered: true });
    },
  },
];

/** As DTLS plaintext: whoever can do it has the keys of this session, so it is the peer itself. */
async function sendRaw(from: WeriftInternals, packet: Buffer): Promise<void> {
  const { dtls } = from.dtlsTransport;
  await (dtls as unknown as { send(data: Buffer): Promise<void> }).send(packet);
}

async function echoes({ client, server }: Pair): Promise<void> {
  const incoming = nextChannel(server);
  const side = new Collector(client.openChannel({ label: 'a', protocol: 'ssh' }));
  const theirs = await incoming;
  new Collector(theirs);
  theirs.send(bytesOf('alive'));
  await side.until(() => side.text() === 'alive');
}

for (const { name, send } of MALFORMED) {
  test(`hostile peer - ${name} ends its own connection with ERR_PROTOCOL and no other`, async () => {
    const [attacked, other] = await Promise.all([weriftPair(), weriftPair()]);
    send(weriftInternals(attacked.client));
    assert.equal((await attacked.server.closed).error?.code, 'ERR_PROTOCOL');
    await echoes(other);
    await Promise.all([attacked.close(), other.close()]);
  });
}

/** Datagrams that anybody can send who knows the port. */
const SPOOFED: { name: string; datagram: Buffer }[] = [
  // Alert, DTLS 1.2, epoch 0: fatal and warning close_notify.
  { name: 'a plaintext alert', datagram: record(21, 0, Buffer.from([1, 0])) },
  {
    name: 'a plaintext alert that claims to be encrypted',
    datagram: record(21, 1, Buffer.from([1, 0])),
  },
  { name: 'a record of no known type', datagram: record(99, 1, Buffer.from([1, 0])) },
  { name: 'a plaintext ClientHello', datagram: record(22, 0, clientHello()) },
  { name: 'a ChangeCipherSpec', datagram: record(20, 0, Buffer.from([1])) },
];

function record(type: number, epoch: number, fragment: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt8(type, 0);
  header.writeUInt16BE(0xfefd, 1);
  header.writeUInt16BE(epoch, 3);
  header.writeUInt16BE(fragment.length, 11);
  return Buffer.concat([header, fragment]);
}

function clientHello(): Buffer {
  // Version, random, no session, no cookie, one suite, no compression.
  const body = Buffer.concat([
    Buffer.from([0xfe, 0xfd]),
    Buffer.alloc(32, 7),
    Buffer.from([0, 0, 0, 2, 0xc0, 0x2b, 1, 0]),
  ]);
  const header = Buffer.alloc(12);
  header.writeUInt8(1, 0);
  header.writeUIntBE(body.length, 1, 3);
  header.writeUIntBE(body.length, 9, 3);
  return Buffer.concat([header, body]);
}

for (const { name, send } of MALFORMED) {
  test(`hostile peer - ${name} costs a native end its own connection at most`, async () => {
    const [attacked, other] = await Promise.all([
      webRtcPair({ client: 'werift', server: 'native' }),
      webRtcPair({ client: 'werift', server: 'native' }),
    ]);
    const { internals } = attacked.insides.client;
    assert.ok(internals !== undefined);
    for (let times = 0; times < 20; times += 1) send(internals);
    await echoes(other);
    await Promise.all([attacked.close(), other.close()]);
  });
}

test('hostile peer - a flood of channels is refused by a native end, and others go on', async () => {
  const [attacked, other] = await Promise.all([
    webRtcPair({ client: 'native', server: 'native' }),
    webRtcPair({ client: 'native', server: 'native' }),
  ]);
  const { peer } = attacked.insides.client;
  assert.ok(peer !== undefined);
  let taken = 0;
  attacked.server.onChannel(() => {
    taken += 1;
  });
  // Both parities, since one of them is refused by the library itself.
  for (let id = 20; id < 1_000; id += 1)
    peer.createDataChannel('x', { protocol: 'ssh', id }).onClosed(() => undefined);
  await echoes(other);
  assert.ok(taken <= limits.CHANNELS_PER_PEER, `${String(taken)} channels were taken`);
  await Promise.all([attacked.close(), other.close()]);
});

test('hostile network - datagrams of anybody leave a native session alone', async () => {
  const random = seededRandom();
  const pair = await webRtcPair({ client: 'native', server: 'native', throughPath: true });
  await echoes(pair);
  for (let count = 0; count < 2_000; count += 1) {
    const datagram = random.bytes(random.int(1, 1_400));
    // The kinds that are told apart by their first byte: STUN, ChannelData, DTLS, RTP.
    const kinds = [0, 1, 20, 21, 22, 23, 25, 64, 128];
    datagram[0] = kinds[count % kinds.length] ?? 0;
    pair.path?.inject(Buffer.from(datagram), count % 2 === 0 ? 'server' : 'client');
    if (count % 100 === 0) await echoes(pair);
  }
  await echoes(pair);
  await pair.close();
});

test('hostile network - spoofed DTLS records leave a session alone', async () => {
  const pair = await weriftPair();
  const stranger = createSocket('udp4');
  for (const end of [pair.client, pair.server]) {
    assert.ok(localPorts(end).length > 0);
    for (const { datagram } of SPOOFED)
      for (const port of localPorts(end))
        await new Promise<void>((resolve) => {
          stranger.send(datagram, port, '127.0.0.1', () => {
            resolve();
          });
        });
  }
  await echoes(pair);
  await echoes(pair);
  stranger.close();
  await pair.close();
});

test('hostile network - no record number is used twice, since it is the nonce of the encryption', async () => {
  const seen = new Map<string, Buffer>();
  const twice: string[] = [];
  const pair = await webRtcPair({
    client: 'werift',
    server: 'werift',
    filter: (datagram, to) => {
      for (const { epoch, number, bytes } of records(datagram)) {
        if (epoch === 0) continue;
        const key = `${to} ${String(number)}`;
        // The same bytes again are a retransmission, by which nothing is given away.
        if (seen.get(key)?.equals(bytes) === false) twice.push(key);
        seen.set(key, bytes);
      }
      return [datagram];
    },
  });
  for (let round = 0; round < 20; round += 1) await echoes(pair);
  assert.ok(seen.size > 40);
  assert.deepEqual(twice, []);
  await pair.close();
});

/** The DTLS records of a datagram; none, if it is STUN. */
function* records(datagram: Buffer): Generator<{ epoch: number; number: number; bytes: Buffer }> {
  for (let at = 0; at + 13 <= datagram.length && (datagram[at] ?? 0) >= 20;) {
    const end = at + 13 + datagram.readUInt16BE(at + 11);
    yield {
      epoch: datagram.readUInt16BE(at + 3),
      number: datagram.readUIntBE(at + 5, 6),
      bytes: datagram.subarray(at, end),
    };
    at = end;
  }
}

test('hostile network - a replayed record is dropped', async () => {
  const pair = await weriftPair();
  const { dtls } = weriftInternals(pair.server).dtlsTransport;
  assert.ok(dtls !== undefined);
  const { socket } = dtls.transport;
  const seen: Buffer[] = [];
  const receive = socket.onData;
  socket.onData = (data) => {
    seen.push(Buffer.from(data));
    receive(data);
  };
  let delivered = 0;
  const { dtlsTransport } = weriftInternals(pair.server);
  const deliver = dtlsTransport.dataReceiver;
  dtlsTransport.dataReceiver = (data) => {
    delivered += 1;
    deliver(data);
  };
  await echoes(pair);
  const [first] = seen;
  assert.ok(first !== undefined);
  const before = delivered;
  receive(first);
  receive(first);
  assert.equal(delivered, before);
  await echoes(pair);
  await pair.close();
});

function localPorts(end: PeerConnection): number[] {
  return weriftInternals(end).dtlsTransport.iceTransport.connection.protocols.flatMap(
    ({ transport }) => {
      const socket = transport?.socket as { address?: () => { port: number } } | undefined;
      const port = socket?.address?.().port;
      return port === undefined ? [] : [port];
    },
  );
}
