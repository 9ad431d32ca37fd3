/**
 * `npm test [-- TIER|NAME-PART...] [--concurrency N] [--timeout SECONDS] [--again]`: sets up and runs the
 * built tests, each file in a process of its own, two at a time. Without arguments all of them. The summary at
 * the end is the test runner's.
 *
 * With `--again`, files that failed are run once more, one at a time, after their failures have been
 * reported: what fails only beside others is named as unsteady, what fails twice fails the run.
 *
 * `run({ files })` rather than `node --test`, which takes directories and globs differently on Node 20
 * and 24; `isolation` is left alone, since Node 20 has only the default of a process per file.
 */
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { Failure, runMain } from './lib/failure.mjs';
import { inRoot } from './lib/paths.mjs';
import { listFiles } from './lib/stamps.mjs';
import { ConciseReport, Totals } from './lib/test-report.mjs';
import { setup } from './setup.mjs';

const TIERS = [
  { name: 'unit', concurrency: 2 },
  { name: 'integration', concurrency: 2 },
  // Each starts a whole broker, agent and browser, and mostly waits for them.
  { name: 'e2e', concurrency: 2 },
];
/** A file that hangs is ended after this long. */
const FILE_TIMEOUT_S = 300;

await runMain(async () => {
  const options = readArguments();
  await setup();
  takeHome();
  const interrupt = new AbortController();
  // The runner listens once for every file.
  setMaxListeners(0, interrupt.signal);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      process.exitCode = 130;
      interrupt.abort();
    });
  }
  const chosen = TIERS.map((tier) => ({ ...tier, files: filesOf(tier.name, options.parts) }));
  if (chosen.every(({ files }) => files.length === 0)) {
    throw new Failure(`no test file matches ${options.parts.join(' ')}`, { exitCode: 2 });
  }
  const failed = await runTiers(chosen, options, interrupt.signal);
  if (failed.size > 0) {
    process.exitCode ||= 1;
    if (options.again && !interrupt.signal.aborted) {
      const files = [...failed];
      process.stdout.write(`\nonce more, one at a time: ${files.map(shortName).join(', ')}\n`);
      const still = await runTiers([{ files, concurrency: 1 }], options, interrupt.signal);
      const unsteady = files.filter((file) => !still.has(file));
      if (unsteady.length > 0) {
        process.stdout.write(`unsteady: ${unsteady.map(shortName).join(', ')}\n`);
      }
      if (still.size === 0 && !interrupt.signal.aborted) process.exitCode = 0;
    }
  }
  // What a failed test left running must not hold the runner.
  process.exit();
});

/**
 * Gives the tests an empty home: their login shells would else run the profile of whoever runs them, which
 * may print, wait for a lock, or leave one behind when a test ends its shell (pyenv's does all three).
 */
function takeHome() {
  // Where npm says nothing it looks into the home; some tests install.
  process.env.npm_config_cache ??= path.join(homedir(), '.npm');
  process.env.npm_config_userconfig ??= path.join(homedir(), '.npmrc');
  const home = mkdtempSync(path.join(tmpdir(), 'holdfast-home-'));
  process.once('exit', () => rmSync(home, { recursive: true, force: true }));
  process.env.HOME = home;
  for (const name of ['XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_HOME']) {
    delete process.env[name];
  }
}

/** Runs the files of all `tiers` and prints what came out. @returns the files with a failure. */
async function runTiers(tiers, options, signal) {
  const totals = new Totals();
  const report = process.stdout.isTTY ? undefined : new ConciseReport(totals);
  const failed = new Set();
  for (const { files, concurrency } of tiers) {
    if (files.length === 0 || signal.aborted) continue;
    const events = run({
      files,
      concurrency: options.concurrency ?? concurrency,
      timeout: options.timeoutMs,
      // A failed test may leave behind what keeps its process alive, which on Node 24 no timeout ends.
      forceExit: true,
      signal,
    });
    events.on('test:fail', ({ todo, file, name }) => {
      if (todo !== undefined && todo !== false) return;
      // A file that ends before its tests do is a failed test of that name.
      failed.add(file ?? files.find((path) => path.endsWith(name)) ?? files[0]);
    });
    await (report === undefined ? readWithSpec(events, totals) : report.read(events));
  }
  report?.print();
  totals.print();
  if (totals.get('tests') === 0) throw new Failure('no test ran');
  return failed;
}

/** Node's own reporter, without the summary of each tier: the sum of all follows at the end. */
async function readWithSpec(events, totals) {
  const shown = events.filter(
    ({ type, data }) =>
      type !== 'test:summary' && !(type === 'test:diagnostic' && totals.add(data.message)),
  );
  for await (const text of shown.compose(spec)) process.stdout.write(text);
}

function readArguments() {
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        concurrency: { type: 'string' },
        timeout: { type: 'string' },
        again: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new Failure(error.message, { exitCode: 2 });
  }
  const { values, positionals } = parsed;
  return {
    parts: positionals,
    again: values.again,
    concurrency: values.concurrency === undefined ? undefined : positive(values.concurrency),
    timeoutMs: positive(values.timeout ?? String(FILE_TIMEOUT_S)) * 1000,
  };
}

function shortName(file) {
  return path.relative(inRoot('dist/test'), file);
}

function positive(text) {
  if (/^[1-9][0-9]*$/.test(text)) return Number(text);
  throw new Failure(`not a number above 0: ${text}`, { exitCode: 2 });
}

/** The built test files of a tier that `parts` choose: by the tier's name or a part of the file's. */
function filesOf(tier, parts) {
  const root = inRoot('dist/test', tier);
  return listFiles(root).filter((file) => {
    if (!file.endsWith('.test.js')) return false;
    const name = path.relative(inRoot('dist/test'), file);
    return parts.length === 0 || parts.some((part) => part === tier || name.includes(part));
  });
}
