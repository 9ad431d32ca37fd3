import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BenchCase, CaseContext, CaseResult } from '../../benchmarks/harness/index.js';
import { runCases } from '../../benchmarks/invocation.js';
import { checkLeaks } from '../support/leaks.js';

checkLeaks();

const NOTHING: CaseResult = { settings: {}, rows: [], ratios: [], notes: [] };

function benchCase(name: string, run: (context: CaseContext) => Promise<CaseResult>): BenchCase {
  return { name, summary: name, minutes: 1, run };
}

test('bench - a case that fails or hangs is reported, and the others go on', async () => {
  const undone: string[] = [];
  let late: Promise<void> | undefined;
  const chosen = [
    benchCase('throws', async ({ defer }) => {
      defer(() => {
        undone.push('first');
      });
      defer(() => {
        throw new Error('undoing failed as well');
      });
      throw new Error('it broke');
    }),
    benchCase('hangs', async ({ defer, progress }) => {
      progress.show('waiting');
      await new Promise<void>((resolve) => {
        defer(resolve);
      });
      // Given up, and goes on: what it starts now has to end at once.
      late = (async () => {
        defer(() => {
          undone.push('late');
        });
      })();
      return NOTHING;
    }),
    benchCase('cannot tidy up', async ({ defer }) => {
      defer(async () => {
        throw new Error('still there');
      });
      return NOTHING;
    }),
    benchCase('works', async () => ({ ...NOTHING, notes: ['all is well'] })),
  ];
  const before: string[] = [];
  const { cases } = await runCases(
    { chosen, runs: 1, scale: 'tiny', seed: 1, agentNodeOptions: [], limitMinutes: 0.01 },
    {
      start: () => undefined,
      before: ({ name }, left) => {
        before.push(`${name} ${String(left)}`);
      },
      after: () => undefined,
    },
  );
  await late;
  assert.deepEqual(
    cases.map(({ name, failed }) => [name, failed]),
    [
      ['throws', 'it broke'],
      ['hangs', 'took more than 0.01 minutes, at: waiting'],
      ['cannot tidy up', 'still there'],
      ['works', undefined],
    ],
  );
  assert.deepEqual(undone, ['first', 'late']);
  assert.deepEqual(cases.at(-1)?.notes, ['all is well']);
  assert.deepEqual(before, ['throws 4', 'hangs 3', 'cannot tidy up 2', 'works 1']);
});
