import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeLink,
  encodeLink,
  LinkedConnection,
  linkLabel,
  readLinkLabel,
  StreamIds,
  type LinkMessage,
} from '../../src/shared/common/data-channels/index.js';
import {
  HoldfastError,
  limits,
  type ChannelEnd,
  type ErrorRecord,
} from '../../src/shared/common/index.js';
import type { FramedChannel } from '../../src/shared/common/framing/index.js';
import { createRandom, seededRandom, type SeededRandom } from '../support/index.js';
import { ManualClock } from '../support/manual-clock.js';
import { CarelessStack } from '../support/peer/careless-stack.js';

type Connection = LinkedConnection<{ readonly engine: string }>;

/** Two connections over stacks whose every move is chosen at random. */
class World {
  readonly clock = new ManualClock();
  readonly client: Connection;
  readonly server: Connection;
  readonly stacks: CarelessStack[] = [];
  readonly #random: SeededRandom;

  constructor(
    random: SeededRandom,
    careless: readonly [boolean, boolean],
    partBytes: readonly [number | undefined, number | undefined] = [undefined, undefined],
  ) {
    this.#random = random;
    this.client = this.#end('offerer', 1, careless[0], partBytes[0]);
    this.server = this.#end('answerer', 0, careless[1], partBytes[1]);
    const [first, second] = this.stacks as [CarelessStack, CarelessStack];
    first.peer = second;
    second.peer = first;
  }

  /** Lets things happen until nothing is left to happen. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      const [first, second] = this.stacks as [CarelessStack, CarelessStack];
      const moved =
        this.#random.next() < 0.5 ? first.step() || second.step() : second.step() || first.step();
      quiet = moved ? 0 : quiet + 1;
      // Promises of the connections (room, closed) come in between.
      if (quiet > 0 || this.#random.next() < 0.1) await Promise.resolve();
    }
  }

  #end(
    role: 'offerer' | 'answerer',
    parity: 0 | 1,
    careless: boolean,
    partBytes: number | undefined,
  ): Connection {
    return new LinkedConnection({
      engine: 'test',
      role,
      clock: this.clock,
      binding: () => ({ engine: 'test' }),
      stack: (events) => {
        const stack = new CarelessStack(events, {
          random: this.#random,
          parity,
          careless,
          partBytes,
        });
        this.stacks.push(stack);
        return stack;
      },
    });
  }
}

/** Everything that a channel received, and how it ended. */
class Reader {
  readonly received: number[] = [];
  /** Bytes of each message. */
  readonly lengths: number[] = [];
  end: ChannelEnd | undefined;

  constructor(channel: FramedChannel) {
    channel.start({
      message: (bytes) => {
        this.received.push(...bytes);
        this.lengths.push(bytes.length);
        channel.consumed(bytes.length);
      },
      credit: () => undefined,
      end: (end) => {
        assert.equal(this.end, undefined, 'a channel ends once');
        this.end = end;
      },
    });
  }
}

const KINDS: { name: string; careless: readonly [boolean, boolean] }[] = [
  { name: 'two careful stacks', careless: [false, false] },
  { name: 'a careless client', careless: [true, false] },
  { name: 'a careless server', careless: [false, true] },
  { name: 'two careless stacks', careless: [true, true] },
];
const ROUNDS = 200;

for (const { name, careless } of KINDS) {
  test(`linked connection - with ${name} nothing is lost or swapped, whoever ends a channel when`, async () => {
    const { seed } = seededRandom();
    for (let round = 0; round < ROUNDS; round += 1) {
      const random = createRandom(seed + round);
      const part = (): number | undefined => random.pick([undefined, 1, 3]);
      const world = new World(random, careless, [part(), part()]);
      const readers = new Map<string, Reader>();
      const error: ErrorRecord = { code: 'ERR_READ_ONLY', message: 'so' };
      const serve = (channel: FramedChannel, side: string): void => {
        readers.set(`${channel.label} ${side}`, new Reader(channel));
      };
      world.server.onChannel((channel) => {
        serve(channel, 'server');
        // Both directions carry something, and both ends may end it at the same time.
        sendSome(channel, random.int(0, 3), random);
        if (random.next() < 0.3) channel.close();
      });
      await world.settle();
      const channels: FramedChannel[] = [];
      for (let index = 0; index < 4; index += 1) {
        const channel = world.client.openChannel({ label: `c${index}`, protocol: 'ssh' });
        channels.push(channel);
        serve(channel, 'client');
        sendSome(channel, random.int(0, 5), random);
        channel.close(random.next() < 0.5 ? error : undefined);
        if (random.next() < 0.5) await world.settle();
      }
      await world.settle();
      for (const channel of channels) {
        const there = readers.get(`${channel.label} server`);
        assert.ok(there !== undefined, `channel ${channel.label} of round ${round} never came`);
        assert.equal(there.end?.type, 'closed');
        const here = readers.get(`${channel.label} client`);
        assert.equal(here?.end?.type, 'closed');
        const [ours, theirs] = world.stacks as [CarelessStack, CarelessStack];
        assert.deepEqual(there.received, ours.sent.get(channel.label) ?? []);
        assert.deepEqual(here.received, theirs.sent.get(channel.label) ?? []);
      }
      // Closing waits for the other end by polling, so time has to pass.
      const closing = world.client.close();
      let isClosed = false;
      void closing.then(() => {
        isClosed = true;
      });
      while (!isClosed) {
        await world.settle();
        world.clock.advance(5);
        await Promise.resolve();
      }
      await world.settle();
      assert.equal((await world.server.closed).error, undefined);
      assert.equal(world.clock.now() < 2_000, true, 'nobody waited for what never comes');
    }
  });
}

test('linked connection - the code of a close arrives, even where a reset overtakes the link', async () => {
  const { seed } = seededRandom();
  for (let round = 0; round < ROUNDS; round += 1) {
    const world = new World(createRandom(seed + round), [true, true]);
    let reader: Reader | undefined;
    world.server.onChannel((channel) => {
      reader = new Reader(channel);
    });
    await world.settle();
    const channel = world.client.openChannel({ label: 'a', protocol: 'ssh' });
    const ours = new Reader(channel);
    channel.send(Uint8Array.of(1));
    channel.send(Uint8Array.of(2));
    channel.close({ code: 'ERR_FRAME', message: 'why' });
    await world.settle();
    assert.deepEqual(reader?.received, [1, 2]);
    assert.deepEqual(reader.end, {
      type: 'closed',
      error: { code: 'ERR_FRAME', message: 'why' },
    });
    assert.equal(ours.end?.type, 'closed');
  }
});

test('linked connection - what goes in parts arrives as it was sent, one message for each', async () => {
  const random = seededRandom();
  for (const careless of [false, true]) {
    const world = new World(random, [careless, careless], [100, undefined]);
    let reader: Reader | undefined;
    world.server.onChannel((channel) => {
      reader = new Reader(channel);
    });
    await world.settle();
    const channel = world.client.openChannel({ label: 'a', protocol: 'ssh' });
    new Reader(channel);
    await world.settle();
    const [stack] = world.stacks as [CarelessStack];
    const lengths = [1, 100, 101, 200, 20_000];
    const sent = lengths.map((length) => random.bytes(length));
    for (const bytes of sent) channel.send(bytes);
    await world.settle();
    assert.deepEqual(reader?.lengths, lengths);
    assert.ok(Buffer.from(reader.received).equals(Buffer.concat(sent)));
    assert.deepEqual(stack.texts, ['2', '2', '200']);
    assert.equal(Math.max(...stack.lengths), 100);
  }
});

test('linked connection - wrong announcements of parts, and too much behind one, end the connection', async () => {
  const cases: readonly [string, readonly string[], number, string][] = [
    ['no number', ['x'], 0, 'ERR_PROTOCOL'],
    ['none', ['0'], 0, 'ERR_PROTOCOL'],
    ['far too many', ['1000000'], 0, 'ERR_PROTOCOL'],
    ['a second one too early', ['3', '2'], 0, 'ERR_PROTOCOL'],
    ['parts over the limit', ['5'], 5, 'ERR_MESSAGE_TOO_LARGE'],
  ];
  for (const [name, texts, parts, code] of cases) {
    const world = new World(seededRandom(), [false, false]);
    await world.settle();
    const channel = world.client.openChannel({ label: 'a', protocol: 'ssh' });
    world.server.onChannel((each) => new Reader(each));
    await world.settle();
    const [stack] = world.stacks as [CarelessStack];
    for (const text of texts) stack.sendText(channel.id, text);
    for (let part = 0; part < parts; part += 1)
      stack.send(channel.id, new Uint8Array(limits.MESSAGE_BYTES / 4));
    await world.settle();
    assert.equal((await world.server.closed).error?.code, code, name);
  }
});

test('linked connection - a silent peer is lost after its heartbeats, one that answers is not', async () => {
  const world = new World(seededRandom(), [true, true]);
  await world.settle();
  for (let beat = 0; beat < 5; beat += 1) {
    world.clock.advance(5_000);
    await world.settle();
  }
  const ends: (ErrorRecord | undefined)[] = [];
  void world.client.closed.then(({ error }) => ends.push(error));
  await Promise.resolve();
  assert.equal(ends.length, 0);
  world.clock.advance(20_000);
  await Promise.resolve();
  assert.deepEqual(
    ends.map((error) => error?.code),
    ['ERR_PEER_LOST'],
  );
});

test('stream ids - rest as long as possible, and pass over those in use', () => {
  const ids = new StreamIds(1);
  const taken = Array.from({ length: 511 }, () => ids.take(() => false));
  assert.equal(new Set(taken).size, 511);
  assert.ok(taken.every((id) => id % 2 === 1 && id < 1_022));
  assert.equal(
    ids.take((id) => id === 1),
    3,
  );
});

test('link - every message is read back as it was written', () => {
  const error: ErrorRecord = { code: 'ERR_FRAME', message: 'über' };
  const messages: LinkMessage[] = [
    { type: 'start', features: { handshake: true, waits: false, joins: true } },
    { type: 'credit', channel: 7, bytes: 0 },
    { type: 'close', channel: 7, error },
    { type: 'end', channel: 1_021, messages: 4_000_000_000, error },
    { type: 'end', channel: 1, messages: 0, error: undefined },
    { type: 'done', channel: 3 },
    { type: 'ping' },
    { type: 'pong' },
    { type: 'goodbye', error: undefined },
  ];
  for (const message of messages) assert.deepEqual(decodeLink(encodeLink(message)), message);
  for (const features of [
    { handshake: false, waits: false, joins: false },
    { handshake: true, waits: true, joins: false },
    { handshake: false, waits: false, joins: true },
  ])
    assert.deepEqual(readLinkLabel(linkLabel(features)), features);
  // What the first version of the link says has no features.
  assert.deepEqual(readLinkLabel(''), { handshake: false, waits: false, joins: false });
  const first = Uint8Array.of(1, 0, 0, 5, 0, 0, 0, 0, 0x48, 0x46, 0x44, 0x46, 1);
  assert.deepEqual(decodeLink(first), {
    type: 'start',
    features: { handshake: false, waits: false, joins: false },
  });
});

test('link - whatever arrives, it is one message or ERR_PROTOCOL', () => {
  const random = seededRandom();
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = random.bytes(random.int(0, 24));
    if (random.next() < 0.8 && bytes.length >= 8)
      bytes.set([random.int(0, 12), 0, 0, bytes.length - 8]);
    try {
      decodeLink(bytes);
    } catch (error) {
      assert.ok(error instanceof HoldfastError, String(error));
      assert.ok(['ERR_PROTOCOL', 'ERR_MESSAGE_TOO_LARGE'].includes(error.code), error.code);
    }
  }
});

function sendSome(channel: FramedChannel, count: number, random: SeededRandom): void {
  for (let index = 0; index < count; index += 1) channel.send(random.bytes(random.int(1, 7)));
}
