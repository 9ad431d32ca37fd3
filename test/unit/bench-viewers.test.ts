import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAME, frameHeader } from '../../src/shared/common/framing/frames.js';
import { encodeAgentFrame } from '../../src/shared/common/wire/index.js';
import { FrameScanner } from '../../benchmarks/programs/viewers/frame-scanner.js';

const COUNTED = 3;

function dataFrame(channel: number, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(FRAME.data, channel, payload.length), payload]);
}

function output(offset: number, length: number): Uint8Array {
  const nextOffset = offset + length;
  const bytes = new Uint8Array(length).fill(0x61);
  return encodeAgentFrame({
    ...{ type: 'output', replay: false, quiet: false, offset, nextOffset, bytes },
  });
}

const LARGE = 2 ** 33;
/** Everything that is not counted output: what the real client must see, byte for byte. */
const passed = [
  dataFrame(1, Buffer.from('{"type":"authenticated"}')),
  dataFrame(COUNTED, encodeAgentFrame({ type: 'gap', from: 5, to: 9 })),
  Buffer.concat([frameHeader(FRAME.ping, 0, 4), Buffer.alloc(4, 1)]),
  dataFrame(5, output(0, 40)),
  Buffer.concat([frameHeader(FRAME.goodbye, 0, 0)]),
];
const counted = [output(0, 1), output(1, 300), output(LARGE, 7)];
const stream = Buffer.concat([
  passed[0]!,
  dataFrame(COUNTED, counted[0]!),
  dataFrame(COUNTED, counted[1]!),
  passed[1]!,
  passed[2]!,
  dataFrame(COUNTED, counted[2]!),
  passed[3]!,
  passed[4]!,
]);

test('bench viewers - output is counted by its header, and all else reaches the client, wherever reads are cut', () => {
  for (let size = 1; size <= stream.length; size += 1) {
    const rest: Buffer[] = [];
    const seen: number[][] = [];
    const scanner = new FrameScanner(
      { receive: (bytes) => rest.push(Buffer.from(bytes)) },
      new Map([[COUNTED, { output: (...numbers: number[]) => seen.push(numbers) }]]),
    );
    for (let at = 0; at < stream.length; at += size) {
      scanner.push(stream.subarray(at, at + size));
    }
    assert.deepEqual(
      seen,
      [
        [0, 1, counted[0]!.length],
        [1, 301, counted[1]!.length],
        [LARGE, LARGE + 7, counted[2]!.length],
      ],
      `reads of ${String(size)}`,
    );
    assert.deepEqual(Buffer.concat(rest), Buffer.concat(passed), `reads of ${String(size)}`);
  }
});
