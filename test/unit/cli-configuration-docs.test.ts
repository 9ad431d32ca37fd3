import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIELDS, type Field } from '../../src/main/cli/config/index.js';
import { EXIT, EXIT_MEANINGS } from '../../src/main/cli/output/index.js';
import { document } from '../support/documents.js';

const { text } = document('docs/configuration.md');

/** Cells of the tables, code marks and padding taken off. */
const rows = [...text.matchAll(/^\|(.+)\|$/gm)].map(([, row = '']) =>
  row.split('|').map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
);

test('docs/configuration.md - lists every setting as the code has it', () => {
  const documented = rows.filter((cells) => cells.length === 5).slice(0);
  const wanted = Object.values<Field<unknown>>(FIELDS).map((field) => [
    field.flag ?? '',
    field.env ?? '',
    field.key ?? '',
    field.meaning,
    field.defaultText ?? '',
  ]);
  for (const row of wanted) {
    const found = documented.find(([flag, env]) => flag === row[0] && env === row[1]);
    assert.deepEqual(found, row);
  }
  const head = documented.filter(([flag]) => flag === 'flag' || /^-+$/.test(flag ?? ''));
  assert.equal(documented.length - head.length, wanted.length, 'settings that do not exist');
});

test('docs/configuration.md - lists every exit status', () => {
  const documented = rows.filter(
    ([status, , third]) => third === undefined && /^\d+$/.test(status ?? ''),
  );
  const wanted = Object.entries(EXIT).map(([name, status]) => [
    String(status),
    EXIT_MEANINGS[name as keyof typeof EXIT],
  ]);
  assert.deepEqual(documented, wanted);
});
