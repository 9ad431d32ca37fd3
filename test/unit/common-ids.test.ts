import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEpoch, parseTerminalId, parseUuid } from '../../src/shared/common/index.js';

const UUID = '0f8fad5b-d9cb-469f-a165-70867728950e';

test('ids - every spelling that Go takes is the same terminal', () => {
  const spellings = [
    UUID,
    UUID.toUpperCase(),
    `urn:uuid:${UUID}`,
    `URN:UUID:${UUID.toUpperCase()}`,
    `{${UUID}}`,
    UUID.replaceAll('-', ''),
  ];
  for (const spelling of spellings) {
    assert.equal(parseUuid(spelling), UUID, spelling);
    assert.equal(parseTerminalId(spelling), UUID, spelling);
  }
});

test('ids - what Go refuses is no UUID', () => {
  const wrong = [
    '',
    UUID.slice(1),
    `${UUID}0`,
    UUID.replace('0f', 'zz'),
    UUID.replace('-', '0'),
    `{${UUID}`,
    `${UUID}}`,
    `urn:uuid:{${UUID}}`,
    `uuid:${UUID}`,
    `${UUID}\n`,
    ` ${UUID}`,
    UUID.replace('8', '８'),
  ];
  for (const text of wrong) assert.equal(parseUuid(text), undefined, JSON.stringify(text));
});

test('ids - a terminal may have a plain name, and nothing that is not one', () => {
  for (const name of ['main', 'a', 'Build-2', 'x'.repeat(64), '0.1_b']) {
    assert.equal(parseTerminalId(name), name);
  }
  const wrong = [
    '',
    '.hidden',
    '-f',
    '_x',
    'a b',
    'a/b',
    '../x',
    'x'.repeat(65),
    'ä',
    'a:b',
    'a\n',
  ];
  for (const name of wrong) {
    assert.throws(() => parseTerminalId(name), { code: 'ERR_CHANNEL_LABEL' }, JSON.stringify(name));
  }
});

test('ids - an epoch is 16 lower-case hex digits', () => {
  assert.equal(parseEpoch('0123456789abcdef'), '0123456789abcdef');
  for (const text of ['', '0123456789abcde', '0123456789ABCDEF', '0123456789abcdef0']) {
    assert.throws(() => parseEpoch(text), { code: 'ERR_FRAME' });
  }
});
