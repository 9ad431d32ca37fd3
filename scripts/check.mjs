/**
 * `npm run check`: everything about the sources that needs no running parts. All checks run, two at a
 * time; one line each, then the output of those that failed.
 */
import { existsSync } from 'node:fs';
import { Failure, runMain } from './lib/failure.mjs';
import { inRoot } from './lib/paths.mjs';
import { duration } from './lib/progress.mjs';
import { runNode } from './lib/run.mjs';
import { setup } from './setup.mjs';

const AT_ONCE = 2;
/**
 * Only changed files are linted again, by content since a checkout changes every time stamp. A rule that
 * sees types can change its mind about a file that did not change, hence never in CI.
 */
const LINT_CACHE =
  process.env.CI === undefined
    ? ['--cache', '--cache-strategy', 'content', '--cache-location', inRoot('.setup', 'eslint')]
    : [];

/** A check by one of the installed tools. */
const tool = (name, script, ...args) => ({
  name,
  work: async () => {
    const { status, output } = await runNode([inRoot('node_modules', script), ...args]);
    if (status !== 0) throw new Failure(`${name} failed`, { detail: output });
  },
});

const tsc = (name, project) => tool(name, 'typescript/bin/tsc', '-p', project, '--noEmit');

const CHECKS = [
  // First and by itself: the last check reads what it builds. What is built already has passed.
  { name: 'types and build', work: () => setup(), alone: true },
  tool('lint', 'eslint/bin/eslint.js', '--max-warnings', '0', ...LINT_CACHE, '.'),
  tsc('types of shared/common', 'src/shared/common'),
  tsc('types of the page', 'src/web'),
  tool(
    'import direction',
    'dependency-cruiser/bin/dependency-cruise.mjs',
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'err',
    'src',
    'test',
    ...(existsSync(inRoot('benchmarks')) ? ['benchmarks'] : []),
  ),
  tool('unused code', 'knip/bin/knip.js', '--no-progress'),
  tool('format', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'),
  {
    name: 'documents',
    work: async () => {
      const { status, output } = await runNode(['--test', inRoot('dist/test/unit/docs.test.js')]);
      if (status !== 0) throw new Failure('documents failed', { detail: output });
    },
  },
];

await runMain(async () => {
  await setup({ build: false });
  const failures = [];
  const runOne = async ({ name, work }) => {
    const started = performance.now();
    let failure;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure = { name, error };
      failures.push(failure);
    }
    const took = duration(performance.now() - started);
    process.stdout.write(`${failure === undefined ? '✔' : '✖'} ${name}  ${took}\n`);
  };
  const waiting = [...CHECKS];
  while (waiting[0]?.alone === true) await runOne(waiting.shift());
  const lane = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      await runOne(check);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  for (const { name, error } of failures) {
    process.stdout.write(`\n${name}:\n${error.detail.trimEnd()}\n`);
  }
  if (failures.length > 0) {
    throw new Failure(`${String(failures.length)} of ${String(CHECKS.length)} checks failed`);
  }
});
