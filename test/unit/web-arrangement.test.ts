import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTerminalId, type TerminalId } from '../../src/shared/common/index.js';
import {
  arrangementAddress,
  formatTabs,
  hasRoom,
  parseTabs,
} from '../../src/web/arrangement/address.js';
import {
  activeTab,
  allIds,
  close,
  focus,
  focusedId,
  MAX_PANES,
  moveTab,
  open,
  resize,
  single,
  split,
  stepAny,
  stepPane,
  stepTab,
  type Arrangement,
} from '../../src/web/arrangement/arrangement.js';
import { layOut, paneIds } from '../../src/web/arrangement/split-tree.js';

const id = (text: string): TerminalId => parseTerminalId(text);
const [A, B, C, D] = ['a', 'b', 'c', 'd'].map(id) as [
  TerminalId,
  TerminalId,
  TerminalId,
  TerminalId,
];

test('arrangement - an address brings back what it was made from', () => {
  let all = open(split(split(single(A), 'row', B), 'column', C), D);
  assert.equal(formatTabs(all), '!r50~a~!d50~b~c,d');
  all = resize(focus(all, C), '', 70);
  assert.equal(
    arrangementAddress('local', all, '?via=relay&tabs=old'),
    '/w/local/t/c?via=relay&tabs=!r70~a~!d50~b~c,d',
  );
  assert.deepEqual(parseTabs('!r70~a~!d50~b~c,d', C), all);
  assert.equal(arrangementAddress('local', single(A), '?tabs=x&log=y'), '/w/local/t/a');
});

test('arrangement - random ones survive the address, and their areas fill the whole', () => {
  const step = fc.record({ what: fc.nat(8), which: fc.nat(30), share: fc.nat(100) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let state: Arrangement = single(A);
      steps.forEach(({ what, which, share }, number) => {
        const fresh = id(`t${String(number)}`);
        const some = allIds(state)[which % allIds(state).length] ?? A;
        if (what <= 1 && hasRoom(state)) state = open(state, fresh);
        else if (what === 2 && hasRoom(state)) state = split(state, 'row', fresh);
        else if (what === 3 && hasRoom(state)) state = split(state, 'column', fresh);
        else if (what === 4) state = close(state, some) ?? state;
        else if (what === 5) state = focus(state, some);
        else if (what === 6) state = moveTab(state, state.active, which);
        else if (what === 7) state = resize(state, '', share);
        else state = stepAny(stepTab(stepPane(state, 1), 1), -1);
        const ids = allIds(state);
        assert.equal(new Set(ids).size, ids.length);
        assert.ok(ids.length <= MAX_PANES);
        assert.ok(paneIds(activeTab(state).root).includes(focusedId(state)));
      });
      const again = parseTabs(formatTabs(state), focusedId(state));
      assert.deepEqual(
        again.tabs.map(({ root }) => root),
        state.tabs.map(({ root }) => root),
      );
      assert.equal(focusedId(again), focusedId(state));
      assert.equal(again.active, state.active);
      for (const { root } of state.tabs) {
        const areas = [...layOut(root).panes.values()];
        const sum = areas.reduce((total, { width, height }) => total + width * height, 0);
        assert.ok(Math.abs(sum - 1) < 1e-9);
      }
    }),
    { numRuns: 300 },
  );
});

test('arrangement - an address from anywhere is taken as far as it makes sense', () => {
  const ids = (text: string): string =>
    parseTabs(text, A)
      .tabs.map(({ root }) => paneIds(root))
      .join('|');
  assert.equal(ids(''), 'a');
  assert.equal(ids('b,b,!r50~b~c'), 'b|c|a');
  assert.equal(ids('!r50~b'), 'b|a');
  assert.equal(ids('<script>,../x,b'), 'b|a');
  assert.equal(ids(`${'!r50~'.repeat(5_000)}b`), 'b|a');
  const many = Array.from({ length: 1_000 }, (_, number) => `t${String(number)}`).join(',');
  assert.equal(allIds(parseTabs(many, A)).length, MAX_PANES);
  assert.equal(focusedId(parseTabs(many, A)), A);
  const shares = parseTabs('!r0~a~b,!d999~c~d', A).tabs.map(
    ({ root }) => root.kind === 'split' && root.share,
  );
  assert.deepEqual(shares, [10, 90]);
});

test('arrangement - closing gives the keyboard to a neighbour, the last one ends it', () => {
  const all = open(split(single(A), 'row', B), C);
  const left = close(all, C);
  assert.ok(left !== undefined);
  assert.equal(focusedId(left), B);
  const one = close(left, B);
  assert.ok(one !== undefined);
  assert.equal(focusedId(one), A);
  assert.equal(close(one, A), undefined);
});

test('arrangement - a moved tab stays in front', () => {
  const all = open(open(single(A), B), C);
  const moved = moveTab(all, 2, 0);
  assert.deepEqual(allIds(moved), [C, A, B]);
  assert.equal(focusedId(moved), C);
  assert.equal(focusedId(moveTab(moved, 1, 2)), C);
});
