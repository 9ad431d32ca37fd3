import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/shared/common/index.js';
import { checkLeaks, seededRandom } from '../support/index.js';
import {
  Collector,
  nextChannel,
  startNative,
  webRtcPair,
  type WebRtcPair,
  type WebRtcPairOptions,
} from '../support/peer/index.js';

await startNative();
checkLeaks();

/** Of the payload of one packet of the native engine. */
const PACKET_BYTES = 1_080;
const MESSAGES = 24;
const random = seededRandom();

/** Defined, not assigned: the library's own properties are read-only. */
function replace<T extends object, K extends keyof T>(object: T, name: K, value: T[K]): void {
  Object.defineProperty(object, name, { value });
}

/** Lengths of the messages that the client's library is given for channels opened from now on. */
function watchLengths({ insides }: WebRtcPair): number[] {
  const lengths: number[] = [];
  const { peer } = insides.client;
  if (peer === undefined) return lengths;
  const create = peer.createDataChannel.bind(peer);
  replace(peer, 'createDataChannel', (label, config) => {
    const channel = create(label, config);
    const send = channel.sendMessageBinary.bind(channel);
    replace(channel, 'sendMessageBinary', (bytes) => {
      lengths.push(bytes.length);
      return send(bytes);
    });
    return channel;
  });
  return lengths;
}

/** Sends small messages and large ones both ways, the first one small, as it goes before the channel is taken up, and checks that each arrives as it was. */
async function exchange(pair: WebRtcPair): Promise<void> {
  const incoming = nextChannel(pair.server);
  const near = pair.client.openChannel({ label: 'a', protocol: 'ssh' });
  const far = await incoming;
  const ends = [
    { channel: near, collector: new Collector(near) },
    { channel: far, collector: new Collector(far) },
  ];
  const sent = ends.map(() =>
    Array.from({ length: MESSAGES }, (_, index) =>
      random.bytes(
        index % 2 === 1
          ? limits.CHANNEL_MESSAGE_BYTES
          : random.int(1, index === 0 ? PACKET_BYTES : 3_000),
      ),
    ),
  );
  await Promise.all(
    ends.map(async ({ channel, collector }, end) => {
      for (const bytes of sent[end] ?? []) {
        while (channel.credit < bytes.length) {
          await new Promise<void>((resolve) => {
            collector.onCredit = resolve;
          });
        }
        channel.send(new Uint8Array(bytes));
      }
    }),
  );
  for (const [end, { collector }] of ends.entries()) {
    const expected = sent[1 - end] ?? [];
    await collector.until(() => collector.messages.length === expected.length);
    assert.deepEqual(
      collector.messages.map(({ length }) => length),
      expected.map(({ length }) => length),
    );
    assert.ok(Buffer.concat(collector.messages).equals(Buffer.concat(expected)));
  }
}

const PAIRS: readonly Pick<WebRtcPairOptions, 'client' | 'server'>[] = [
  { client: 'native', server: 'native' },
  { client: 'native', server: 'werift' },
  { client: 'native', server: 'hosted' },
  { client: 'werift', server: 'native' },
];
for (const { client, server } of PAIRS) {
  test(`peer far away - a ${client} client and a ${server} server, and messages longer than a packet`, async (t) => {
    const pair = await webRtcPair({ client, server, delayMs: 10 });
    t.after(() => pair.close());
    const lengths = watchLengths(pair);
    await exchange(pair);
    // Longer ones made keys beside bulk stand still for seconds, in one connection of fourteen.
    assert.ok(Math.max(0, ...lengths) <= PACKET_BYTES);
    if (client === 'native') assert.ok(lengths.length > MESSAGES * 20, 'in parts');
  });
}

test('peer far away - who is near gets messages whole', async (t) => {
  const pair = await webRtcPair({ client: 'native', server: 'native' });
  t.after(() => pair.close());
  const lengths = watchLengths(pair);
  await exchange(pair);
  assert.equal(Math.max(...lengths), limits.CHANNEL_MESSAGE_BYTES);
});
