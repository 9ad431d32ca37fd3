import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ViewerId } from '../../src/shared/common/index.js';
import type { Presence } from '../../src/shared/common/wire/index.js';
import { describeEvent } from '../../src/main/cli/attach/describe-event.js';
import { fitSequence } from '../../src/main/cli/attach/window-fit.js';
import { findViewers } from '../../src/main/cli/commands/kick.js';

const size = (rows: number, cols: number) => ({ rows, cols });
const NONE = { region: undefined, cut: false };

test('attach - a window of another size scrolls where the terminal does and cuts long lines off', () => {
  const terminal = size(24, 80);
  assert.deepEqual(fitSequence(terminal, size(24, 80), NONE), { fit: NONE, sequence: '' });
  const taller = fitSequence(terminal, size(50, 80), NONE);
  assert.equal(taller.sequence, '\x1b7\x1b[1;24r\x1b8');
  assert.equal(fitSequence(terminal, size(60, 80), taller.fit).sequence, '', 'as it is already');
  const narrow = fitSequence(terminal, size(20, 60), taller.fit);
  assert.equal(narrow.sequence, '\x1b7\x1b[r\x1b8\x1b[?7l');
  assert.deepEqual(fitSequence(terminal, size(24, 80), narrow.fit), {
    fit: NONE,
    sequence: '\x1b[?7h',
  });
});

test('attach - what others do is said, what is not for people is not', () => {
  const viewer = 4 as ViewerId;
  const say = (event: Parameters<typeof describeEvent>[0]) => describeEvent(event);
  assert.match(
    say({ type: 'control-requested', offset: 0, viewer, subject: 'eve' }) ?? '',
    /eve \(viewer 4\) asks/,
  );
  assert.match(
    say({ type: 'control-granted', offset: 0, viewer, subject: 'bob', by: 'ann' }) ?? '',
    /ann gave control to bob/,
  );
  assert.equal(say({ type: 'probe', offset: 0, probe: 1 }), undefined);
});

test('kick - finds viewers by number or name, and none is an error', () => {
  const row = (id: number, subject: string) =>
    ({ id: id as ViewerId, subject, mode: 'view', behind: 0 }) as const;
  const presence: Presence = {
    viewers: 3,
    pace: 'fastest',
    sizePolicy: 'latest',
    names: [row(1, 'ann'), row(2, 'eve'), row(3, 'eve')],
  };
  assert.deepEqual(findViewers(presence, '1'), [1]);
  assert.deepEqual(findViewers(presence, 'eve'), [2, 3]);
  assert.throws(() => findViewers(presence, 'bob'), { code: 'ERR_VIEWER_NOT_FOUND' });
});
