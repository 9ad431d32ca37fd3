import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Unfinished } from '../../src/main/cli/attach/unfinished.js';
import { seededRandom } from '../support/index.js';

test('attach - what output has begun is known, however it was cut', () => {
  const { seed } = seededRandom();
  const whole = [
    'text',
    '\x1b[1;31m',
    '\x1b]0;title\x07',
    '\x1bP$qm\x1b\\',
    '世',
    'é',
    '\r\n',
    '\x1b[H',
  ];
  const begun = ['', '\x1b', '\x1b[', '\x1b[1;3', '\x1b]0;ti', '\x1bP$q', '\xe4\xb8', '\xc3'];
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...whole), { maxLength: 20 }),
      fc.constantFrom(...begun),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (list, last, cuts) => {
        const stream = Buffer.concat([Buffer.from(list.join('')), Buffer.from(last, 'latin1')]);
        const unfinished = new Unfinished();
        for (let at = 0, cut = 0; at < stream.length; cut += 1) {
          const end = at + (cuts[cut % Math.max(1, cuts.length)] ?? 4);
          unfinished.push(stream.subarray(at, end));
          at = end;
        }
        assert.equal(Buffer.from(unfinished.bytes).toString('latin1'), last);
      },
    ),
    { seed, numRuns: 300 },
  );
});

test('attach - a sequence that never ends is not kept', () => {
  const unfinished = new Unfinished();
  unfinished.push(Buffer.from('\x1b]0;' + 'x'.repeat(10_000)));
  assert.equal(unfinished.bytes.length, 0);
});
