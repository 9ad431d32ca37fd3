import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HoldfastError, limits } from '../../src/shared/common/index.js';
import { RptyRequestDecoder } from '../../src/workers/terminal/rpty-requests.js';
import { seededRandom } from '../support/index.js';

const feed = (...texts: string[]) => {
  const decoder = new RptyRequestDecoder();
  return texts.flatMap((text) => decoder.feed(Buffer.from(text)));
};
const refuses = (code: string, ...texts: string[]): void => {
  assert.throws(
    () => feed(...texts),
    (error) => error instanceof HoldfastError && error.code === code,
    texts.join('').slice(0, 60),
  );
};

test('rpty - objects follow each other without framing, cut into messages anywhere', () => {
  const { seed } = seededRandom();
  const request = fc.record({
    data: fc.string({ unit: 'binary' }),
    height: fc.integer({ min: 0, max: 500 }),
    width: fc.integer({ min: 0, max: 500 }),
  });
  fc.assert(
    fc.property(
      fc.array(request, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (requests, cuts) => {
        const bytes = Buffer.from(
          requests.map((item, index) => JSON.stringify(item) + ' \n'.slice(0, index % 3)).join(''),
        );
        const decoder = new RptyRequestDecoder();
        const decoded = [];
        for (let at = 0, index = 0; at < bytes.length; index += 1) {
          const end = at + (cuts[index % cuts.length] ?? 1);
          decoded.push(...decoder.feed(bytes.subarray(at, end)));
          at = end;
        }
        // Lone surrogates have no UTF-8, so what was sent is compared as it went onto the wire.
        const onWire = requests.map(({ data, height, width }) => ({
          data: Buffer.from(data).toString(),
          rows: height,
          cols: width,
        }));
        assert.deepEqual(
          decoded.map((item) => ({ ...item, data: Buffer.from(item.data).toString() })),
          onWire,
        );
      },
    ),
    { seed, numRuns: 300 },
  );
});

test('rpty - what is left out is empty, as Go decodes it', () => {
  assert.deepEqual(feed('{}', '{"data":"x"}', '{"height":3,"width":4,"other":[1,{"a":"}"}]}'), [
    { data: '', rows: 0, cols: 0 },
    { data: 'x', rows: 0, cols: 0 },
    { data: '', rows: 3, cols: 4 },
  ]);
});

test('rpty - garbage, wrong types and endless objects are refused with a code', () => {
  for (const text of [
    'hello',
    '[1]',
    'null',
    '{"data":1}',
    '{"height":-1}',
    '{"height":1.5}',
    '{"width":1e9}',
    '{"height":"3"}',
    '{]}',
    '}',
  ]) {
    refuses('ERR_FRAME', text);
  }
  refuses('ERR_INPUT_OVERRUN', '{"data":"', 'x'.repeat(limits.RPTY_UNREAD_BYTES));
  refuses('ERR_INPUT_OVERRUN', ...Array.from({ length: 70 }, () => '{"a":'.repeat(1_000)));
});

test('rpty - a size beyond what a terminal may have is taken as the largest', () => {
  assert.deepEqual(feed('{"height":65535,"width":2000}'), [{ data: '', rows: 1_000, cols: 1_000 }]);
});
