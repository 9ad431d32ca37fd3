import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  FairQueue,
  FRAME,
  frameAround,
  FrameDecoder,
  frameHeader,
  FramedConnection,
  openPayload,
  startPayload,
  type Frame,
  type FrameType,
} from '../../src/shared/common/framing/index.js';
import { HoldfastError, limits } from '../../src/shared/common/index.js';

const frames = fc.array(
  fc.record({
    type: fc.constantFrom(...Object.values(FRAME)),
    channel: fc.nat({ max: 0xffff_ffff }),
    payload: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 20 },
);

/** A transport into nothing. */
const silent = {
  write: (): void => undefined,
  pendingBytes: 0,
  end: (): void => undefined,
  destroy: (): void => undefined,
};

test('framing - any cut of the stream gives the same frames', () => {
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 40 }), (sent, step) => {
      const stream = Buffer.concat(
        sent.flatMap(({ type, channel, payload }) => [
          frameHeader(type, channel, payload.length),
          payload,
        ]),
      );
      const got: Frame[] = [];
      const decoder = new FrameDecoder((frame) => got.push(frame));
      for (let at = 0; at < stream.length; at += step) decoder.push(stream.subarray(at, at + step));
      assert.deepEqual(
        got.map(({ type, channel, payload }) => [type, channel, [...payload]]),
        sent.map(({ type, channel, payload }) => [type, channel, [...payload]]),
      );
    }),
    { verbose: true },
  );
});

test('framing - memory that is read into again changes no message of a channel that does not take lent ones', () => {
  for (const takesLent of [false, true]) {
    const connection = new FramedConnection({ role: 'server', transport: silent });
    const got: Uint8Array[] = [];
    connection.onChannel((channel) => {
      channel.start({
        takesLent,
        message: (bytes) => got.push(bytes),
        credit: () => undefined,
        end: () => undefined,
      });
    });
    connection.start();
    const message = Buffer.from('first message');
    const frame = (type: FrameType, channel: number, payload: Uint8Array): Uint8Array[] => [
      frameHeader(type, channel, payload.length),
      payload,
    ];
    const reused = Buffer.concat([
      ...frame(FRAME.start, 0, startPayload()),
      ...frame(FRAME.open, 1, openPayload({ credit: 1_000, label: 'l', protocol: 'ssh' })),
      ...frame(FRAME.data, 1, message),
    ]);
    connection.receive(reused);
    reused.fill('x');
    const isSame = Buffer.from(got[0] ?? []).equals(message);
    assert.equal(isSame, !takesLent, takesLent ? 'lent' : 'its own');
    connection.transportEnded();
  }
});

test('framing - a frame around a message uses the room before it, or is a copy', () => {
  const owned = new Uint8Array(40).subarray(16).fill(7);
  const inPlace = frameAround(FRAME.data, 9, owned);
  assert.equal(inPlace.buffer, owned.buffer);
  const copied = frameAround(FRAME.data, 9, new Uint8Array(24).fill(7));
  assert.deepEqual(inPlace, copied);
});

test('framing - a frame over the limit is refused before anything is kept of it', () => {
  const decoder = new FrameDecoder(() => assert.fail('no frame was complete'));
  assert.throws(
    () => {
      decoder.push(frameHeader(FRAME.data, 1, limits.MESSAGE_BYTES + 1));
    },
    { code: 'ERR_MESSAGE_TOO_LARGE' },
  );
});

test('framing - random bytes end a connection with a code and never throw', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 64 }), { minLength: 1, maxLength: 20 }),
      async (chunks) => {
        const connection = new FramedConnection({
          role: 'server',
          transport: silent,
        });
        connection.start();
        for (const chunk of chunks) connection.receive(chunk);
        connection.transportEnded();
        const { error } = await connection.closed;
        assert.ok(error !== undefined);
        assert.notEqual(error.code, 'ERR_INTERNAL');
      },
    ),
    { verbose: true },
  );
});

test('framing - well-formed frames in any order end a connection with a code or leave it be', () => {
  fc.assert(
    fc.property(frames, (sent) => {
      const connection = new FramedConnection({ role: 'server', transport: silent });
      connection.start();
      connection.receive(frameHeader(FRAME.start, 0, 5));
      connection.receive(startPayload());
      for (const { type, channel, payload } of sent) {
        connection.receive(frameHeader(type, channel % 8, payload.length));
        connection.receive(payload);
      }
      connection.transportEnded();
    }),
    { verbose: true },
  );
});

test('framing - channels take turns, those with little to send before those with much', () => {
  const queue = new FairQueue<{ name: string; queuedBytes: number }>();
  const bulk = { name: 'bulk', queuedBytes: 1_000_000 };
  const key = { name: 'key', queuedBytes: 1 };
  queue.add(bulk);
  queue.add(key);
  queue.add(key);
  assert.equal(queue.next(), key);
  assert.equal(queue.next(), bulk);
  assert.equal(queue.next(), undefined);
});

test('framing - endless small messages do not starve a bulk channel', () => {
  const queue = new FairQueue<{ name: string; queuedBytes: number }>();
  const bulk = { name: 'bulk', queuedBytes: 1_000_000 };
  const key = { name: 'key', queuedBytes: 1 };
  queue.add(bulk);
  let turns = 0;
  for (;;) {
    queue.add(key);
    if (queue.next() === bulk) break;
    turns += 1;
    assert.ok(turns < 100);
  }
});

test('framing - a label that is not ASCII cannot be opened', () => {
  const connection = new FramedConnection({
    role: 'client',
    transport: silent,
  });
  assert.throws(() => connection.openChannel({ label: 'é', protocol: 'ssh' }), HoldfastError);
});
