/** `npm run bench:quick`: a few small cases, whose ratios are held to those of benchmarks/baselines.json. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findCase, runCases } from './invocation.js';
import { drawSeed, type CaseReport } from './harness/index.js';
import {
  checkRatios,
  parseBaselines,
  updateBaselines,
  WATCHED,
  type Check,
} from './quick-check/index.js';

const RUNS = 3;
/** Of each case; all of them together take less than three minutes where nothing else runs. */
const LIMIT_MINUTES = 6;
const FILE = path.resolve(import.meta.dirname, '../../benchmarks/baselines.json');
const HELP = `Usage: npm run bench:quick [-- --update]

Runs a few benchmarks at small sizes and holds their ratios to those of benchmarks/baselines.json, with wide
tolerances. A case with one that is worse runs once more, and status 1 says that one was worse again. Times by
themselves are not judged.

  --update   write the ratios of this run to that file instead; tolerances in it stay
  --help     this text`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { update: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    console.log(HELP);
    return;
  }
  const baselines = existsSync(FILE) ? parseBaselines(readFileSync(FILE, 'utf8')) : {};
  const seed = drawSeed(Math.random);
  console.log(`seed ${String(seed)}, load average at the start ${loadavg()[0]?.toFixed(1) ?? '-'}`);
  const cases = await run(Object.keys(WATCHED), seed);
  print(checkRatios(cases, baselines));
  if (values.update === true) {
    writeFileSync(FILE, `${JSON.stringify(updateBaselines(cases, baselines), undefined, 2)}\n`);
    console.log(`\nwritten: ${path.relative(process.cwd(), FILE)}`);
    return;
  }
  // A machine that was busy with something else for ten seconds of one side makes a ratio that says nothing.
  const again = cases.filter((report) => checkRatios([report], baselines).some(isBad));
  if (again.length === 0) return;
  console.log('\nonce more what is out of tolerance');
  const names = again.map(({ name }) => name);
  const checks = checkRatios(await run(names, seed), baselines);
  print(checks);
  const bad = checks.filter(isBad);
  if (bad.length > 0) {
    console.log(
      `\n${String(bad.length)} out of tolerance twice. If that is meant, \`npm run bench:quick -- --update\`.`,
    );
    process.exitCode = 1;
  }
}

async function run(names: readonly string[], seed: number): Promise<readonly CaseReport[]> {
  const { cases } = await runCases(
    {
      chosen: names.map(findCase),
      scale: 'small',
      runs: RUNS,
      seed,
      agentNodeOptions: [],
      limitMinutes: LIMIT_MINUTES,
    },
    {
      start: () => undefined,
      before: () => undefined,
      after: (_, { name, seconds }) => {
        console.log(`${name}: ${seconds.toFixed(0)} s`);
      },
    },
  );
  return cases;
}

function isBad({ verdict }: Check): boolean {
  return verdict === 'worse' || verdict === 'failed';
}

function print(checks: readonly Check[]): void {
  console.log();
  for (const { name, verdict, text } of checks) {
    console.log(`${verdict.padEnd(13)} ${name}: ${text}`);
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench:quick: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode ??= 1;
}
// What an interrupted case left pending must not hold the process.
process.exit();
