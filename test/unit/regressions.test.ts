import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { document, ROOT } from '../support/documents.js';

test('regressions - every test that docs/regressions.md names exists, under its title', () => {
  const rows = [
    ...document('docs/regressions.md').text.matchAll(/^\|.*\| `(test\/\S+)` *\| (.+?) *\|$/gm),
  ].map(([, file = '', title = '']) => ({ file, title }));
  assert.ok(rows.length > 50);
  for (const { file, title } of rows) {
    const source = readFileSync(path.join(ROOT, file), 'utf8').replaceAll("\\'", "'");
    assert.ok(
      [`'${title}'`, `"${title}"`, `\`${title}\``].some((text) => source.includes(text)),
      `${file} has no test ${JSON.stringify(title)}`,
    );
  }
});

test('regressions - each of the 18 defects of the original has its guard', () => {
  const numbers = [...document('docs/regressions.md').text.matchAll(/^\| (\d+) *\|/gm)].map(
    ([, n]) => Number(n),
  );
  assert.deepEqual(
    [...new Set(numbers)],
    Array.from({ length: 18 }, (_, index) => index + 1),
  );
});
