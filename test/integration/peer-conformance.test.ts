import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/shared/common/index.js';
import { Collector, firstWrongByte, nextChannel, sendPattern } from '../support/peer/channels.js';
import { checkLeaks } from '../support/index.js';
import { unixPair, webSocketPair, type Pair, type PairOptions } from '../support/peer/pairs.js';
import { startNative } from '../support/peer/start-native.js';
import { webRtcPair } from '../support/peer/webrtc-pair.js';

/** One suite for every engine: what the rest of Holdfast relies on, whatever carries the bytes. */
const ENGINES: { name: string; open: (options?: PairOptions) => Promise<Pair> }[] = [
  { name: 'framed over unix', open: unixPair },
  { name: 'framed over websocket', open: webSocketPair },
  ...(['werift', 'native'] as const).flatMap((client) =>
    (['werift', 'native', 'hosted'] as const).map((server) => ({
      name: `${client} client to ${server} server`,
      open: (options: PairOptions = {}) => webRtcPair({ client, server, ...options }),
    })),
  ),
];

await startNative();
checkLeaks();

const MIB = 1024 * 1024;
/** Both ends are in one process: a busy machine must not take their floods for a lost peer. */
const BUSY_HEARTBEAT_MS = 60_000;
const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

for (const { name, open } of ENGINES) {
  test(`peer ${name} - channels open both ways with label and protocol`, async () => {
    const pair = await open();
    for (const [from, to] of [
      [pair.client, pair.server],
      [pair.server, pair.client],
    ] as const) {
      const incoming = nextChannel(to);
      const ours = from.openChannel({ label: 'abc:24:80', protocol: 'terminal' });
      const ourSide = new Collector(ours);
      ours.send(bytesOf('hello'));
      const theirs = await incoming;
      assert.equal(theirs.label, 'abc:24:80');
      assert.equal(theirs.protocol, 'terminal');
      const theirSide = new Collector(theirs);
      await theirSide.until(() => theirSide.bytes === 5);
      theirs.send(bytesOf('world'));
      await ourSide.until(() => ourSide.text() === 'world');
      ours.close();
      assert.deepEqual(await theirSide.ended(), { type: 'closed', error: undefined });
      assert.equal((await ourSide.ended()).type, 'closed');
    }
    await pair.close();
  });

  test(`peer ${name} - 10 MB both ways at once arrive in order and whole`, async () => {
    const pair = await open({ heartbeatMs: BUSY_HEARTBEAT_MS });
    const incoming = nextChannel(pair.server);
    const ours = pair.client.openChannel({ label: '', protocol: 'ssh' });
    const ourSide = new Collector(ours);
    const sendingUp = sendPattern(ours, ourSide, 10 * MIB);
    const theirs = await incoming;
    const theirSide = new Collector(theirs);
    const sendingDown = sendPattern(theirs, theirSide, 10 * MIB);
    await Promise.all([sendingUp, sendingDown]);
    await theirSide.until(() => theirSide.bytes === 10 * MIB);
    await ourSide.until(() => ourSide.bytes === 10 * MIB);
    assert.equal(firstWrongByte(theirSide.messages), undefined);
    assert.equal(firstWrongByte(ourSide.messages), undefined);
    await pair.close();
  });

  test(`peer ${name} - a message keeps its boundaries up to a piece of output with its header`, async () => {
    const pair = await open();
    const incoming = nextChannel(pair.server);
    const ours = pair.client.openChannel({ label: 'a', protocol: 'terminal' });
    new Collector(ours);
    const sizes = [1, 5, 1_200, 65_535, limits.OUTPUT_FRAME_BYTES + 32, 7];
    for (const size of sizes) ours.send(new Uint8Array(size).fill(size));
    const theirSide = new Collector(await incoming);
    await theirSide.until(() => theirSide.messages.length === sizes.length);
    assert.deepEqual(
      theirSide.messages.map((message) => message.length),
      sizes,
    );
    await pair.close();
  });

  test(`peer ${name} - a receiver that does not consume stops the sender`, async () => {
    const pair = await open();
    const incoming = nextChannel(pair.server);
    const ours = pair.client.openChannel({ label: 'a', protocol: 'ssh' });
    const ourSide = new Collector(ours);
    const total = 3 * MIB;
    let done = false;
    const sending = sendPattern(ours, ourSide, total).then(() => {
      done = true;
    });
    const theirs = await incoming;
    const theirSide = new Collector(theirs, { hold: true });
    await theirSide.until(() => theirSide.bytes >= limits.CHANNEL_CREDIT_BYTES);
    // Beside it another channel goes on.
    const other = nextChannel(pair.server);
    const second = pair.client.openChannel({ label: 'b', protocol: 'ssh' });
    new Collector(second);
    second.send(bytesOf('alive'));
    const secondSide = new Collector(await other);
    await secondSide.until(() => secondSide.text() === 'alive');
    assert.equal(done, false);
    assert.ok(
      theirSide.bytes <= limits.CHANNEL_CREDIT_BYTES + limits.MESSAGE_BYTES,
      `${String(theirSide.bytes)} bytes were pushed on a reader that took none`,
    );
    theirSide.release();
    await sending;
    await theirSide.until(() => theirSide.bytes === total);
    assert.equal(firstWrongByte(theirSide.messages), undefined);
    await pair.close();
  });

  test(`peer ${name} - a close delivers everything before it, then its code`, async () => {
    const pair = await open();
    const incoming = nextChannel(pair.server);
    const ours = pair.client.openChannel({ label: 'a', protocol: 'ssh' });
    const ourSide = new Collector(ours);
    const sending = sendPattern(ours, ourSide, 2 * MIB + 17);
    const theirSide = new Collector(await incoming);
    await sending;
    for (let count = 0; count < 3; count += 1) ours.send(new Uint8Array(50_000));
    ours.close({ code: 'ERR_READ_ONLY', message: 'just so' });
    const end = await theirSide.ended();
    assert.equal(theirSide.bytes, 2 * MIB + 17 + 150_000);
    assert.deepEqual(end, {
      type: 'closed',
      error: { code: 'ERR_READ_ONLY', message: 'just so' },
    });
    await pair.close();
  });

  test(`peer ${name} - closing the connection delivers what was sent and ends channels cleanly`, async () => {
    const pair = await open();
    const incoming = nextChannel(pair.server);
    const ours = pair.client.openChannel({ label: 'a', protocol: 'ssh' });
    new Collector(ours);
    for (let count = 0; count < 4; count += 1) ours.send(new Uint8Array(60_000));
    const theirSide = new Collector(await incoming);
    await pair.client.close();
    assert.equal((await theirSide.ended()).type, 'closed');
    assert.equal(theirSide.bytes, 240_000);
    assert.equal((await pair.server.closed).error, undefined);
    await pair.close();
  });

  test(`peer ${name} - a peer that vanishes is noticed`, async () => {
    const pair = await open({ heartbeatMs: 200, throughPath: true });
    const incoming = nextChannel(pair.server);
    const ours = pair.client.openChannel({ label: 'a', protocol: 'ssh' });
    ours.send(bytesOf('x'));
    const theirSide = new Collector(await incoming);
    pair.vanish();
    assert.equal((await pair.server.closed).error?.code, 'ERR_PEER_LOST');
    assert.deepEqual(await theirSide.ended(), pair.lost ?? { type: 'lost' });
    await pair.close();
  });

  test(`peer ${name} - one that is cut is lost at once, and the other end hears of it`, async () => {
    const pair = await open();
    const incoming = nextChannel(pair.server);
    const ours = pair.client.openChannel({ label: 'a', protocol: 'ssh' });
    const ourSide = new Collector(ours);
    ours.send(bytesOf('x'));
    const theirSide = new Collector(await incoming);
    assert.ok(pair.client.cut !== undefined);
    pair.client.cut();
    pair.client.cut();
    assert.deepEqual(await ourSide.ended(), { type: 'lost' });
    assert.equal((await pair.client.closed).error?.code, 'ERR_PEER_LOST');
    await pair.server.closed;
    await theirSide.ended();
    await pair.close();
  });

  test(`peer ${name} - many channels carry their own bytes`, async () => {
    const pair = await open({ heartbeatMs: BUSY_HEARTBEAT_MS });
    const sides = new Map<string, Collector>();
    let complete = 0;
    const all = new Promise<void>((resolve) => {
      pair.server.onChannel((channel) => {
        const side = new Collector(channel);
        sides.set(channel.label, side);
        void side.ended().then(() => {
          complete += 1;
          if (complete === 100) resolve();
        });
      });
    });
    for (let index = 0; index < 100; index += 1) {
      const channel = pair.client.openChannel({ label: `c${String(index)}`, protocol: 'ssh' });
      new Collector(channel);
      for (let count = 0; count < 10; count += 1) channel.send(bytesOf(`${String(index)},`));
      channel.close();
    }
    await all;
    for (const [label, side] of sides) assert.equal(side.text(), `${label.slice(1)},`.repeat(10));
    await pair.close();
  });

  test(`peer ${name} - malformed input ends that connection with a code and no other`, async () => {
    const [first, second] = await Promise.all([open(), open()]);
    first.sendGarbage();
    const { error } = await first.server.closed;
    assert.ok(error?.code === 'ERR_PROTOCOL' || error?.code === 'ERR_MESSAGE_TOO_LARGE');
    const incoming = nextChannel(second.server);
    const ours = second.client.openChannel({ label: 'a', protocol: 'ssh' });
    ours.send(bytesOf('fine'));
    const theirSide = new Collector(await incoming);
    await theirSide.until(() => theirSide.text() === 'fine');
    await Promise.all([first.close(), second.close()]);
  });

  test(`peer ${name} - names and limits are refused with a code`, async () => {
    const pair = await open();
    assert.throws(() => pair.client.openChannel({ label: 'é', protocol: 'ssh' }), {
      code: 'ERR_CHANNEL_LABEL',
    });
    assert.throws(() => pair.client.openChannel({ label: 'x'.repeat(129), protocol: 'ssh' }), {
      code: 'ERR_CHANNEL_LABEL',
    });
    await pair.client.close();
    assert.throws(() => pair.client.openChannel({ label: 'a', protocol: 'ssh' }), {
      code: 'ERR_PEER_LOST',
    });
    await pair.close();
  });
}
