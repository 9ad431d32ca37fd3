import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ERROR_CODES,
  HoldfastError,
  type Epoch,
  type ErrorCode,
  type ViewerId,
} from '../../src/shared/common/index.js';
import {
  decodeAgentFrame,
  decodeClientFrame,
  encodeAgentFrame,
  encodeClientFrame,
  INPUT_HEADER_BYTES,
  OUTPUT_HEADER_BYTES,
  PACES,
  SIZE_POLICIES,
  writeOutputHeader,
  type AgentFrame,
  type ClientFrame,
  type ViewerControl,
} from '../../src/shared/common/wire/index.js';

/** A record with the prototype that a decoded one has. */
const record: typeof fc.record = (model: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(model, { noNullPrototype: true }) as never;

const offset = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const cells = fc.integer({ min: 1, max: 1_000 });
const size = record({ rows: cells, cols: cells });
const payload = fc.uint8Array({ maxLength: 300 });
// What UTF-8 can carry; a byte order mark at the start is the decoder's to drop.
const text = fc.string({ unit: 'grapheme', maxLength: 100 }).filter((s) => !s.startsWith('\ufeff'));
const epoch = fc
  .bigInt({ min: 1n, max: 2n ** 64n - 1n })
  .map((value) => value.toString(16).padStart(16, '0') as Epoch);
const pace = fc.constantFrom(...PACES);
const sizePolicy = fc.constantFrom(...SIZE_POLICIES);
const settings = record({
  pace: fc.option(pace, { nil: undefined }),
  sizePolicy: fc.option(sizePolicy, { nil: undefined }),
});
const version = fc.integer({ min: 0, max: 255 });

const viewer = offset.map((id) => id as ViewerId);
const control: fc.Arbitrary<ViewerControl> = fc.oneof(
  record({
    type: fc.constantFrom(
      'claim-size' as const,
      'release-size' as const,
      'request-control' as const,
      'release-control' as const,
    ),
  }),
  record({ type: fc.constantFrom('hand-over' as const, 'drop' as const), viewer }),
  record({ type: fc.constant('latency' as const), ms: offset, probe: offset }),
);

const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  record({
    type: fc.constant('attach' as const),
    version,
    wantsType: fc.boolean(),
    epoch: fc.option(epoch, { nil: undefined }),
    offset: fc.option(offset, { nil: undefined }),
    size,
    window: u32,
    clientId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    settings,
  }),
  record({ type: fc.constant('input' as const), seq: offset, bytes: payload }),
  record({ type: fc.constant('resize' as const), size }),
  record({ type: fc.constant('ack' as const), offset, window: u32 }),
  record({ type: fc.constant('control' as const), control }),
  record({ type: fc.constant('configure' as const), settings }),
);

const exit = fc.oneof(
  record({ kind: fc.constant('status' as const), status: u32 }),
  record({ kind: fc.constant('signal' as const), signal: fc.constantFrom('SIGKILL', 'SIGHUP') }),
  record({ kind: fc.constant('unknown' as const) }),
);

const agentFrame: fc.Arbitrary<AgentFrame> = fc.oneof(
  record({
    type: fc.constant('attached' as const),
    version,
    mayType: fc.boolean(),
    created: fc.boolean(),
    epoch,
    oldest: offset,
    offset,
    head: offset,
    size,
    inputSeq: offset,
    inputWindow: u32,
    pace,
    sizePolicy,
  }),
  record({
    type: fc.constant('output' as const),
    replay: fc.boolean(),
    quiet: fc.boolean(),
    offset,
    nextOffset: offset,
    bytes: payload,
    // What is replay is always quiet.
  }).map((frame) => ({ ...frame, quiet: frame.quiet || frame.replay })),
  record({ type: fc.constant('inputAck' as const), seq: offset, window: u32 }),
  record({ type: fc.constant('gap' as const), from: offset, to: offset }),
  record({
    type: fc.constant('snapshot' as const),
    continues: fc.boolean(),
    offset,
    size,
    bytes: payload,
  }),
  record({ type: fc.constant('title' as const), title: text }),
  record({ type: fc.constant('size' as const), offset, size }),
  record({ type: fc.constant('presence' as const), json: text }),
  record({ type: fc.constant('event' as const), json: text }),
  record({ type: fc.constant('exit' as const), exit, totalBytes: offset }),
  record({
    type: fc.constant('error' as const),
    code: fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[])),
    message: text,
  }),
);

/** Frames whose last field takes whatever is left, so that a shorter message is still one. */
const OPEN_ENDED = new Set([
  ...['input', 'output', 'snapshot', 'title', 'presence', 'event', 'exit', 'error'],
]);
/** A later version may append fields to these; the others end where their layout ends. */
const EXTENSIBLE = new Set(['attach', 'attached', ...OPEN_ENDED]);

/** Both codecs in one shape. */
const DIRECTIONS = [
  {
    name: 'client',
    frames: clientFrame as fc.Arbitrary<{ type: string }>,
    encode: (frame: { type: string }) => encodeClientFrame(frame as ClientFrame),
    decode: decodeClientFrame,
  },
  {
    name: 'agent',
    frames: agentFrame as fc.Arbitrary<{ type: string }>,
    encode: (frame: { type: string }) => encodeAgentFrame(frame as AgentFrame),
    decode: decodeAgentFrame,
  },
];

for (const { name, frames, encode, decode } of DIRECTIONS) {
  test(`frames - every ${name} frame reads back as it was written`, () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const bytes = encode(frame);
        assert.deepEqual(decode(bytes), frame);
        // In the middle of a larger buffer too, as a socket delivers it.
        const larger = new Uint8Array(bytes.length + 7);
        larger.set(bytes, 3);
        assert.deepEqual(decode(larger.subarray(3, 3 + bytes.length)), frame);
      }),
      { numRuns: 500 },
    );
  });

  test(`frames - an encoded ${name} frame owns its whole buffer, to be transferred`, () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const bytes = encode(frame);
        assert.equal(bytes.byteOffset, 0);
        assert.equal(bytes.byteLength, bytes.buffer.byteLength);
      }),
    );
  });

  test(`frames - a ${name} frame cut short is refused, never misread`, () => {
    fc.assert(
      fc.property(frames, fc.double({ min: 0, max: 0.999, noNaN: true }), (frame, part) => {
        const bytes = encode(frame);
        const cut = bytes.subarray(0, Math.floor(bytes.length * part));
        if (!OPEN_ENDED.has(frame.type)) {
          assert.throws(() => decode(cut), { code: 'ERR_FRAME' });
          return;
        }
        try {
          assert.equal(decode(cut).type, frame.type);
        } catch (error) {
          assert.equal((error as HoldfastError).code, 'ERR_FRAME');
        }
      }),
      { numRuns: 500 },
    );
  });

  test(`frames - bytes behind a ${name} frame are refused unless its layout may grow`, () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const bytes = encode(frame);
        const longer = new Uint8Array(bytes.length + 1);
        longer.set(bytes);
        if (EXTENSIBLE.has(frame.type)) assert.equal(decode(longer).type, frame.type);
        else assert.throws(() => decode(longer), { code: 'ERR_FRAME' });
      }),
    );
  });

  test(`frames - any bytes are a ${name} frame or ERR_FRAME`, () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        fc.integer({ min: 0, max: 15 }),
        (bytes, type) => {
          if (bytes.length > 0) bytes[0] = (name === 'agent' ? 0x80 : 0) | type;
          try {
            decode(bytes);
          } catch (error) {
            assert.ok(error instanceof HoldfastError, String(error));
            assert.equal(error.code, 'ERR_FRAME');
          }
        },
      ),
      { numRuns: 5_000 },
    );
  });
}

test('frames - the header that the pump writes is that of the codec', () => {
  const bytes = Uint8Array.of(104, 105);
  const header = { replay: true, quiet: true, offset: 2 ** 40, nextOffset: 2 ** 40 + 2 };
  const frame = new Uint8Array(OUTPUT_HEADER_BYTES + bytes.length);
  writeOutputHeader(frame, header);
  frame.set(bytes, OUTPUT_HEADER_BYTES);
  assert.deepEqual(frame, encodeAgentFrame({ type: 'output', ...header, bytes }));
  assert.equal(
    encodeClientFrame({ type: 'input', seq: 1, bytes }).length,
    INPUT_HEADER_BYTES + bytes.length,
  );
});

test('frames - the layout on the wire is what docs/protocol.md draws', () => {
  assert.equal(
    Buffer.from(encodeClientFrame({ type: 'ack', offset: 258, window: 65_536 })).toString('hex'),
    '04' + '0000000000000102' + '00010000',
  );
  assert.equal(
    Buffer.from(
      encodeClientFrame({
        type: 'attach',
        version: 1,
        wantsType: true,
        epoch: '00112233445566ff' as Epoch,
        offset: 16,
        size: { rows: 24, cols: 80 },
        window: 262_144,
        clientId: new Uint8Array(16).fill(0xaa),
        settings: { pace: 'slowest' },
      }),
    ).toString('hex'),
    '01' +
      '01' +
      '03' +
      '00112233445566ff' +
      '0000000000000010' +
      '00180050' +
      '00040000' +
      'aa'.repeat(16) +
      '0200',
  );
  assert.equal(
    Buffer.from(
      encodeAgentFrame({ type: 'exit', exit: { kind: 'signal', signal: 'SIGHUP' }, totalBytes: 3 }),
    ).toString('hex'),
    '89' + '01' + '00000000' + '0000000000000003' + Buffer.from('SIGHUP').toString('hex'),
  );
  assert.equal(
    Buffer.from(encodeAgentFrame({ type: 'error', code: 'ERR_FRAME', message: 'no' })).toString(
      'hex',
    ),
    '8a' + '09' + Buffer.from('ERR_FRAMEno').toString('hex'),
  );
});

test('frames - offsets beyond what a number holds are refused', () => {
  const bytes = encodeClientFrame({ type: 'ack', offset: 0, window: 0 });
  bytes[1] = 0xff;
  assert.throws(() => decodeClientFrame(bytes), { code: 'ERR_FRAME' });
});
