import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ViewerId } from '../../src/shared/common/index.js';
import type { Presence } from '../../src/shared/common/wire/index.js';
import { describeEvent } from '../../src/main/cli/attach/describe-event.js';
import { runEscape } from '../../src/main/cli/attach/escapes.js';
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

test('attach - ~c does the next thing that makes sense, ~w says who is here', () => {
  const [you, bob, eve] = [1, 2, 3] as ViewerId[];
  const row = (id: ViewerId | undefined, subject: string, mode: 'type' | 'view' = 'type') => ({
    ...{ id: id as ViewerId, subject, mode, behind: 0, rows: 24, cols: 80 },
  });
  const names = [row(you, 'ann'), row(bob, 'bob'), row(eve, 'eve', 'view')];
  const presence = (driver?: ViewerId): Presence => ({
    ...{ viewers: 5, driver, you, names, pace: 'free', sizePolicy: 'latest' },
  });
  const control = (driver?: ViewerId, asker?: ViewerId) =>
    runEscape('c', presence(driver), asker).control;
  assert.deepEqual(control(), { type: 'hand-over', viewer: you });
  assert.deepEqual(control(bob), { type: 'request-control' });
  assert.deepEqual(control(you), { type: 'release-control' });
  assert.deepEqual(control(you, bob), { type: 'hand-over', viewer: bob });
  assert.deepEqual(control(undefined, bob), { type: 'hand-over', viewer: bob });
  assert.deepEqual(control(you, eve), { type: 'release-control' }, 'eve may not type');
  assert.deepEqual(control(you, 9 as ViewerId), { type: 'release-control' }, 'who left');
  assert.equal(
    runEscape('w', presence(bob), undefined).text,
    'ann (you, 80x24), bob (80x24, has the control), eve (watches, 80x24), 2 more',
  );
  assert.deepEqual(runEscape('c', undefined, bob), { text: 'not connected' });
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
