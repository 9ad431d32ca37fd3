import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTerminalId } from '../../src/shared/common/index.js';
import {
  formatTerminalLabel,
  isProtocol,
  isTerminalSize,
  parseTerminalLabel,
} from '../../src/shared/common/wire/index.js';

const UUID = '0f8fad5b-d9cb-469f-a165-70867728950e';

test('label - is id, rows, columns: height before width', () => {
  assert.deepEqual(parseTerminalLabel(`${UUID}:24:80`, 'reconnecting-pty'), {
    id: UUID,
    rows: 24,
    cols: 80,
  });
});

test('label - spellings with colons and braces are the same terminal', () => {
  for (const spelling of [`urn:uuid:${UUID}`, `{${UUID}}`, UUID.toUpperCase()]) {
    assert.equal(parseTerminalLabel(`${spelling}:1:1000`, 'reconnecting-pty').id, UUID);
  }
});

test('label - names are for the terminal protocol only', () => {
  assert.equal(parseTerminalLabel('build:24:80', 'terminal').id, 'build');
  assert.throws(() => parseTerminalLabel('build:24:80', 'reconnecting-pty'), {
    code: 'ERR_CHANNEL_LABEL',
  });
});

test('label - malformed ones and sizes out of range are refused with a code', () => {
  const sizes = [
    '0',
    '-1',
    '1001',
    '1000000000',
    'text',
    '',
    ' 24',
    '24 ',
    '+24',
    '2.5',
    '0x18',
    '1e2',
    '٢٤',
  ];
  const wrong = [
    '',
    ':',
    '::',
    UUID,
    `${UUID}:24`,
    `:24:80`,
    `${UUID}:24:80:`,
    'x'.repeat(10_000),
    ...sizes.flatMap((size) => [`${UUID}:${size}:80`, `${UUID}:24:${size}`]),
  ];
  for (const label of wrong) {
    for (const protocol of ['terminal', 'reconnecting-pty'] as const) {
      assert.throws(
        () => parseTerminalLabel(label, protocol),
        { code: 'ERR_CHANNEL_LABEL' },
        label,
      );
    }
  }
});

test('label - any text is either read or refused, and what is read round-trips', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 140 }), (text) => {
      try {
        const label = parseTerminalLabel(text, 'terminal');
        assert.deepEqual(parseTerminalLabel(formatTerminalLabel(label), 'terminal'), label);
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'ERR_CHANNEL_LABEL');
      }
    }),
  );
  const cells = fc.integer({ min: 1, max: 1_000 });
  fc.assert(
    fc.property(fc.uuid(), cells, cells, (uuid, rows, cols) => {
      const label = { id: parseTerminalId(uuid), rows, cols };
      assert.deepEqual(parseTerminalLabel(formatTerminalLabel(label), 'reconnecting-pty'), label);
    }),
  );
});

test('label - sizes that lie about their type are no sizes', () => {
  assert.equal(isTerminalSize({ rows: 24, cols: 80 }), true);
  for (const rows of [
    '24',
    24.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    undefined,
    0,
    1_001,
    [24],
  ]) {
    assert.equal(isTerminalSize({ rows, cols: 80 }), false);
    assert.equal(isTerminalSize({ rows: 24, cols: rows }), false);
  }
});

test('protocol - only the served ones are known', () => {
  for (const name of ['control', 'ssh', 'terminal', 'reconnecting-pty'])
    assert.ok(isProtocol(name));
  for (const name of ['', 'SSH', 'constructor', 'ssh ']) assert.ok(!isProtocol(name));
});
