import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyBytes } from '../../src/workers/terminal/copy-bytes.js';

const LENGTHS = [0, 1, 63, 64, 65, 4_095, 4_096, 4_097, 9_001];

test('copy - every alignment, length and kind of memory gives the same bytes and touches no others', () => {
  const make = (shared: boolean): Uint8Array =>
    new Uint8Array(shared ? new SharedArrayBuffer(9_100) : new ArrayBuffer(9_100));
  for (const fromShared of [false, true]) {
    for (const toShared of [false, true]) {
      const whole = make(fromShared).map((_, index) => 1 + (index % 251));
      for (const length of LENGTHS) {
        for (const [begin, at] of [
          [0, 0],
          [0, 18],
          [3, 11],
          [7, 1],
          [5, 64],
        ] as const) {
          const source = whole.subarray(begin, begin + length);
          const target = make(toShared);
          copyBytes(source, target, at);
          const expected = Buffer.alloc(target.length);
          expected.set(source, at);
          assert.ok(expected.equals(target), String([fromShared, toShared, length, begin, at]));
        }
      }
    }
  }
});
