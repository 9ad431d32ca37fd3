import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MarkerFilter } from '../../src/workers/terminal/marker-filter.js';
import { ReplayFilter, SequenceScanner, stripQueries } from '../../src/shared/node/vt/index.js';
import { seededRandom } from '../support/index.js';

const encode = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const decode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/** Offsets at which a character or a sequence begins, found by the byte-wise path. */
function boundaries(bytes: Uint8Array): number[] {
  const scanner = new SequenceScanner();
  const found: number[] = [];
  bytes.forEach((byte, index) => {
    if (scanner.atBoundary) found.push(index);
    scanner.next(byte);
  });
  return found;
}

const pieces = [
  'plain text',
  'é',
  '漢字',
  '😀',
  '\r\n',
  '\x1b[31m',
  '\x1b[?1049h',
  '\x1b[38;2;1;2;3m',
  '\x1b]0;title\x07',
  '\x1b]8;;http://x/\x1b\\',
  '\x1bP1$r0m\x1b\\',
  '\x1b(B',
  '\x1b7',
  '\x1b[6n',
  '\x1b[c',
  '\x1b_apc\x1b\\',
  '\x1b[1\x18',
  '\x1b]2;cut\x1a',
  '\x1b\x1b[m',
];
const stream = fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((list) => list.join(''));

test('sequences - no boundary lies inside a character or a control sequence', () => {
  const bytes = encode('aé漢😀\x1b[31mb\x1b]0;t\x07c\x1bP+q544e\x1b\\d');
  const starts = boundaries(bytes).map((at) => decode(bytes.subarray(at)).slice(0, 2));
  assert.deepEqual(starts, [
    'aé',
    'é漢',
    '漢\u{d83d}',
    '😀',
    '\x1b[',
    'b\x1b',
    '\x1b]',
    'c\x1b',
    '\x1bP',
    'd',
  ]);
});

test('sequences - skipping is the same as stepping, cut anywhere', () => {
  const { seed } = seededRandom();
  fc.assert(
    fc.property(stream, fc.integer({ min: 0, max: 400 }), (text, cut) => {
      const bytes = encode(text);
      const stepped = new SequenceScanner();
      for (const byte of bytes) stepped.next(byte);
      const skipped = new SequenceScanner();
      skipped.skip(bytes.subarray(0, cut));
      const resumed = SequenceScanner.unpack(skipped.pack());
      resumed.skip(bytes.subarray(cut));
      assert.equal(resumed.pack(), stepped.pack());
    }),
    { seed, numRuns: 500 },
  );
});

/** What is left in place of a query. */
const ST = '\x1b\\';
const QUERIES = [
  '\x1b[c',
  '\x1b[0c',
  '\x1b[>c',
  '\x1b[=c',
  '\x1bZ',
  '\x1b[5n',
  '\x1b[6n',
  '\x1b[?6n',
  '\x1b[?996n',
  '\x1b[?25$p',
  '\x1b[4$p',
  '\x1b[>q',
  '\x1b[>0q',
  '\x1b[x',
  '\x1b[14t',
  '\x1b[18t',
  '\x1b[21t',
  '\x1b[?u',
  '\x1b[?1;1;0S',
  '\x1b]10;?\x07',
  '\x1b]11;?\x1b\\',
  '\x1b]12;?\x07',
  '\x1b]4;1;?\x07',
  '\x1b]52;c;?\x07',
  '\x1bP$qm\x1b\\',
  '\x1bP+q544e\x1b\\',
  '\x05',
];

test('queries - each kind is removed from a replay, and nothing around it (#3666)', () => {
  for (const query of QUERIES) {
    assert.equal(
      decode(stripQueries(encode(`before${query}after\x1b[1m`))),
      `before${ST}after\x1b[1m`,
      JSON.stringify(query),
    );
  }
  assert.equal(decode(stripQueries(encode(QUERIES.join('')))), ST.repeat(QUERIES.length));
});

test('queries - what only looks like one stays', () => {
  const kept = [
    '\x1b[6m',
    '\x1b[1;1H',
    '\x1b[?25h',
    '\x1b[2 q',
    '\x1b[8;24;80t',
    '\x1b[u',
    '\x1b[S',
    '\x1b]10;#fff\x07',
    '\x1b]52;c;aGk=\x07',
    '\x1b]0;is it 6n?\x07',
    '\x1b]8;;http://x/?q\x07',
    '\x1b[6',
    '\x1b]11;',
    '[6n',
    '\x1bP1;2q#0\x1b\\',
    '\x1b[!p',
    '\x1b[=5u',
  ].join('|');
  assert.equal(
    decode(stripQueries(encode(kept.replace('\x1b[6|', '').replace('\x1b]11;|', '')))),
    kept.replace('\x1b[6|', '').replace('\x1b]11;|', ''),
  );
  assert.equal(decode(stripQueries(encode('x\x1b[6'))), 'x\x1b[6', 'cut off at the end');
});

test('queries - any stream comes out with only its queries gone', () => {
  const { seed } = seededRandom();
  const mixed = fc.array(fc.constantFrom(...pieces.slice(0, 13), ...QUERIES), { maxLength: 40 });
  fc.assert(
    fc.property(mixed, (list) => {
      const kept = list.map((item) => (QUERIES.includes(item) ? ST : item)).join('');
      assert.equal(decode(stripQueries(encode(list.join('')))), kept);
    }),
    { seed, numRuns: 500 },
  );
});

test('marker - what comes before it passes, however the chunks are cut', () => {
  const { seed } = seededRandom();
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('1', '2', '3') }),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (text, cuts) => {
        const mark = Buffer.from('1213121');
        const before = Buffer.from(text.replaceAll('1213121', ''));
        const bytes = Buffer.concat([before, mark, Buffer.from('after')]);
        // The text itself may complete the mark early; then the first occurrence counts.
        const at = bytes.indexOf(mark);
        const filter = new MarkerFilter(mark);
        let output = '';
        let found = false;
        let position = 0;
        for (let index = 0; position < bytes.length && !found; index += 1) {
          const end = position + (cuts[index % Math.max(1, cuts.length)] ?? 3);
          const result = filter.feed(bytes.subarray(position, end));
          output += Buffer.from(result.output).toString();
          found = result.found;
          position = end;
        }
        assert.equal(found, true);
        assert.equal(output, bytes.subarray(0, at).toString());
      },
    ),
    { seed, numRuns: 500 },
  );
});

test('marker - without it everything passes, the held end too', () => {
  const filter = new MarkerFilter(Buffer.from('abcabd'));
  const output = ['xxabc', 'abc', 'ab'].map((chunk) =>
    Buffer.from(filter.feed(Buffer.from(chunk)).output).toString(),
  );
  assert.equal(output.join('') + Buffer.from(filter.flush()).toString(), 'xxabcabcab');
});

test('sequences - skipping a piece ends in the state that reading each byte does', () => {
  const random = seededRandom();
  const alphabet = [
    0x1b, 0x1b, 0x5b, 0x5d, 0x50, 0x5c, 0x07, 0x18, 0x28, 0x33, 0x6d, 0x61, 0xc3, 0xa9,
  ];
  const draw = (length: number): Uint8Array =>
    Uint8Array.from({ length }, () => random.pick(alphabet));
  for (let round = 0; round < 2_000; round += 1) {
    const before = draw(random.int(0, 11));
    const piece = draw(random.int(0, 39));
    const skipping = new SequenceScanner();
    const reading = new SequenceScanner();
    before.forEach((byte) => {
      skipping.next(byte);
      reading.next(byte);
    });
    skipping.skip(piece);
    piece.forEach((byte) => {
      reading.next(byte);
    });
    const context = `${Buffer.from(before).toString('hex')} ${Buffer.from(piece).toString('hex')}`;
    // Two states may differ that no further byte can tell apart; so what follows is compared as well.
    for (const byte of [undefined, ...draw(6)]) {
      if (byte !== undefined) {
        skipping.next(byte);
        reading.next(byte);
      }
      assert.equal(skipping.atBoundary, reading.atBoundary, context);
      assert.equal(skipping.inSequence, reading.inSequence, context);
    }
  }
});

test('replay filter - cutting the replay anywhere makes no difference', () => {
  const text = 'a\x1b[6nb\x1b[31mc\x1b]11;?\x07d\x1bP$qm\x1b\\e\x1b[cf\x1b[0mg';
  const bytes = Buffer.from(text, 'latin1');
  const whole = Buffer.from(stripQueries(bytes)).toString('latin1');
  assert.equal(whole, `a${ST}b\x1b[31mc${ST}d${ST}e${ST}f\x1b[0mg`);
  for (let first = 0; first <= bytes.length; first += 1) {
    for (let second = first; second <= bytes.length; second += 1) {
      const filter = new ReplayFilter();
      const pieces = [
        bytes.subarray(0, first),
        bytes.subarray(first, second),
        bytes.subarray(second),
      ];
      const shown = pieces.map((piece) => filter.push(piece));
      assert.equal(Buffer.concat([...shown, filter.finish()]).toString('latin1'), whole);
    }
  }
});

test('replay filter - what looks unfinished for ever is let go', () => {
  const filter = new ReplayFilter();
  filter.push(Buffer.from('\x1b]'));
  const shown = filter.push(Buffer.alloc(8_192, 'x'));
  assert.equal(shown.length, 8_194);
  assert.equal(filter.finish().length, 0);
});
