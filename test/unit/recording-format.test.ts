import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CastEncoder, CastParser, parseIndex } from '../../src/shared/common/recording/index.js';
import { parseRecordingLabel } from '../../src/shared/common/wire/index.js';
import {
  GrowingFile,
  isDiskFull,
  type FileCalls,
} from '../../src/workers/recording/growing-file.js';
import { dropTail } from '../../src/workers/recording/last-words.js';
import { readCast } from '../support/cast.js';
import { seededRandom } from '../support/index.js';

const HEADER = {
  size: { rows: 24, cols: 80 },
  termType: 'xterm',
  timestamp: 1_700_000_000,
  holdfast: { terminal: 'main', epoch: '00112233445566ff', offset: 0, input: false },
};

test('recording format - any bytes come back, however they are cut', () => {
  const random = seededRandom();
  const texts = ['plain\r\n', 'ä€😀', '漢字', '\u200d\u202e\u2028', '\x1b[1;31mred\x1b[m', '"\\'];
  for (let round = 0; round < 200; round += 1) {
    const parts: Uint8Array[] = [];
    for (let part = random.int(1, 12); part > 0; part -= 1) {
      parts.push(
        random.int(0, 4) === 0
          ? random.bytes(random.int(1, 6))
          : new TextEncoder().encode(random.pick(texts)),
      );
    }
    const bytes = Buffer.concat(parts);
    const encoder = new CastEncoder();
    let text = encoder.header(HEADER);
    let at = 0;
    for (let from = 0; from < bytes.length;) {
      const to = Math.min(bytes.length, from + random.int(1, 5));
      at += random.next() * 3;
      text += encoder.output(at, bytes.subarray(from, to));
      from = to;
    }
    text += encoder.outputBreak(at) + encoder.exit(at, 0);
    const strict = readCast(Buffer.from(text));
    assert.deepEqual(strict.output, bytes);
    // What is written never drifts from the time that passed.
    assert.ok(Math.abs(strict.durationS * 1_000 - at) <= 1);

    const parser = new CastParser();
    const file = Buffer.from(text);
    const events = [];
    for (let from = 0; from < file.length; from += 7) {
      events.push(...parser.push(file.subarray(from, from + 7)));
    }
    const read = events
      .filter(({ code }) => code === 'o')
      .map((event) => event.raw ?? Buffer.from(event.data));
    assert.deepEqual(Buffer.concat(read), bytes);
    assert.equal(events.at(-1)?.code, 'x');
    assert.equal(parser.position, file.length);
  }
});

test('recording format - reads version 2, whose times are absolute', () => {
  const parser = new CastParser();
  const lines = [
    '{"version":2,"width":90,"height":30,"idle_time_limit":1.5}',
    '[0.5,"o","a"]',
    '[2.25,"o","b"]',
  ];
  const events = parser.push(Buffer.from(lines.join('\n')));
  events.push(...parser.finish());
  assert.deepEqual(parser.header?.size, { rows: 30, cols: 90 });
  assert.equal(parser.header.idleLimitMs, 1_500);
  assert.deepEqual(
    events.map(({ at, data }) => [at, data]),
    [
      [500, 'a'],
      [2_250, 'b'],
    ],
  );
});

test('recording format - what is no recording is refused', () => {
  const bad = [
    'hello\n',
    '[]\n',
    '{"version":1}\n',
    '{"version":3}\n',
    '{"version":3,"term":{"cols":80,"rows":24}}\n{}\n',
    '{"version":3,"term":{"cols":80,"rows":24}}\n["x","o",""]\n',
    '{"version":3,"term":{"cols":80,"rows":24}}\n[-1,"o",""]\n',
    '{"version":3,"term":{"cols":80,"rows":24}}\n[1,"o",3]\n',
  ];
  for (const text of bad) {
    assert.throws(
      () => new CastParser().push(Buffer.from(text)),
      { code: 'ERR_RECORDING_FORMAT' },
      text,
    );
  }
  const endless = Buffer.alloc(3 * 1_024 * 1_024, 'x');
  assert.throws(() => new CastParser().push(endless), { code: 'ERR_RECORDING_FORMAT' });
  // The line that was being written when a process died is passed over.
  const cut = new CastParser();
  cut.push(Buffer.from('{"version":3,"term":{"cols":80,"rows":24}}\n[0.1,"o","x"]\n[0.1,"o'));
  assert.deepEqual(cut.finish(), []);
});

test('recording format - an index with wrong lines is read as far as it makes sense', () => {
  const keyframe = { type: 'keyframe', position: 10, at: 5, rows: 24, cols: 80, screen: 'x' };
  const lines = [
    { type: 'index', version: 1 },
    keyframe,
    { ...keyframe, position: 9 },
    { ...keyframe, position: 'no' },
    { type: 'else' },
    { type: 'end', reason: 'exit', durationMs: 9, bytes: 99, missing: 0 },
    { ...keyframe, position: 20 },
  ];
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('') + '{"type":"keyf';
  const { keyframes, end } = parseIndex(text);
  assert.deepEqual(
    keyframes.map(({ position }) => position),
    [10, 20],
  );
  assert.equal(end?.durationMs, 9);
  assert.deepEqual(parseIndex(text.replace('"version":1', '"version":2')).keyframes, []);
});

test('recording format - labels name a recording, a part and a place, and nothing else', () => {
  assert.deepEqual(parseRecordingLabel('a-1.b:index:12'), {
    name: 'a-1.b',
    part: 'index',
    offset: 12,
  });
  for (const bad of [
    'a',
    'a:cast',
    'a:cast:-1',
    'a:other:0',
    '../a:cast:0',
    'a:cast:0:1',
    ':cast:0',
    '.a:cast:0',
  ]) {
    assert.throws(() => parseRecordingLabel(bad), { code: 'ERR_CHANNEL_LABEL' }, bad);
  }
});

/** A file on a disk of `capacity` bytes. */
function smallDisk(capacity: number): { readonly calls: FileCalls; content(): Buffer } {
  let content = Buffer.alloc(0);
  const full = (): Error => Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  const calls = {
    write: (data: Uint8Array, from: number, length: number, at: number) => {
      const room = Math.min(length, capacity - at);
      if (room <= 0) return Promise.reject(full());
      content = Buffer.concat([content.subarray(0, at), data.subarray(from, from + room)]);
      return Promise.resolve({ bytesWritten: room, buffer: data });
    },
    read: (buffer: Buffer, at: number, length: number, from: number) => {
      const bytesRead = content.copy(buffer, at, from, from + length);
      return Promise.resolve({ bytesRead, buffer });
    },
    truncate: (bytes: number) => {
      content = content.subarray(0, bytes);
      return Promise.resolve();
    },
    datasync: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  return { calls: calls as unknown as FileCalls, content: () => content };
}

test('recording format - writes at the same time take turns', async () => {
  const disk = smallDisk(100);
  const file = new GrowingFile(disk.calls, 0);
  const words = ['one ', 'two ', 'three ', 'four'];
  const writes = words.map((word) => file.append(Buffer.from(word)));
  const tooMuch = file.append(Buffer.alloc(200));
  const after = file.append(Buffer.from('!'));
  await assert.rejects(tooMuch, { code: 'ENOSPC' });
  await Promise.all([...writes, after]);
  assert.equal(disk.content().toString(), 'one two three four!');
});

test('recording format - a full disk leaves whole lines, and room for a last word', async () => {
  const disk = smallDisk(100_000);
  const file = new GrowingFile(disk.calls, 0);
  const encoder = new CastEncoder();
  await file.append(Buffer.from(encoder.header(HEADER)));
  let at = 0;
  await assert.rejects(
    async () => {
      for (;;) {
        at += 10;
        await file.append(Buffer.from(encoder.output(at, Buffer.alloc(3_000, 'é'))));
      }
    },
    (error) => isDiskFull(error),
  );
  const before = readCast(disk.content());
  const dropped = await dropTail(file);
  const after = readCast(disk.content());
  assert.equal(after.output.length + dropped.outputBytes, before.output.length);
  assert.ok(Math.abs(after.durationS * 1_000 + dropped.ms - before.durationS * 1_000) < 1);
  assert.ok(100_000 - disk.content().length > 16_000);
  await file.append(Buffer.from(new CastEncoder(at).marker(at, 'the end')));
  assert.deepEqual(readCast(disk.content()).markers, ['the end']);
});
