import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../../src/shared/common/index.js';
import { nearest } from '../../src/main/cli/config/index.js';
import {
  exitCodeOf,
  formatAge,
  formatBytes,
  formatError,
  formatTable,
  oneLine,
  styleFor,
} from '../../src/main/cli/output/index.js';

test('errors - are two lines whatever is in them', () => {
  const nasty = 'a\nb\r\nc\x1b]0;title\x07\u202e';
  const text = formatError(new HoldfastError('ERR_CONFIG', nasty, { hint: nasty }));
  assert.equal(text, 'holdfast: ERR_CONFIG: a b c?]0;title??\nhint: a b c?]0;title??\n');
});

test('errors - exit codes group what a script would treat alike', () => {
  assert.equal(exitCodeOf('ERR_INVALID_ARGUMENT'), 2);
  assert.equal(exitCodeOf('ERR_NOT_LOGGED_IN'), 3);
  assert.equal(exitCodeOf('ERR_WORKSPACE_NOT_FOUND'), 4);
  assert.equal(exitCodeOf('ERR_AGENT_OFFLINE'), 5);
  assert.equal(exitCodeOf('ERR_ALREADY_RUNNING'), 6);
  assert.equal(exitCodeOf('ERR_INTERNAL'), 70);
  assert.equal(exitCodeOf('ERR_METADATA'), 1);
});

test('style - paints terminals only, and not against NO_COLOR', () => {
  const bold = (isTTY: boolean, env: Record<string, string>) => styleFor({ isTTY }, env).bold('x');
  assert.equal(bold(true, {}), '\x1b[1mx\x1b[22m');
  assert.equal(bold(true, { NO_COLOR: '' }), '\x1b[1mx\x1b[22m');
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) assert.equal(bold(true, env), 'x');
  assert.equal(bold(false, {}), 'x');
});

test('table - aligns, cleans, and leaves no blanks at the end', () => {
  const table = formatTable(
    ['A', 'LONGER'],
    [
      ['1', 'x'],
      ['22222', 'y\x1b[31m'],
    ],
  );
  assert.equal(table, 'A      LONGER\n1      x\n22222  y?[31m\n');
});

test('words - near ones are suggested, far ones are not', () => {
  assert.equal(nearest('sssh', ['ssh', 'attach']), 'ssh');
  assert.equal(nearest('atach', ['ssh', 'attach']), 'attach');
  assert.equal(nearest('termianls', ['terminals']), 'terminals');
  assert.equal(nearest('zzzz', ['ssh', 'attach']), undefined);
});

test('numbers - are shown as people say them', () => {
  assert.deepEqual([0, 999, 61_000, 7_200_000, 200_000_000].map(formatAge), [
    'now',
    'now',
    '1m',
    '2h',
    '2d',
  ]);
  assert.deepEqual([0, 1_023, 1_536, 5 * 1_048_576].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.5 KiB',
    '5.0 MiB',
  ]);
  assert.equal(oneLine('  a \n b '), 'a b');
});
