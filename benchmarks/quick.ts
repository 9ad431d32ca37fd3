/** `npm run bench:quick`: a few small cases, whose ratios are held to those of benchmarks/baselines.json. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findCase, runCases } from './invocation.js';
import { checkRatios, parseBaselines, updateBaselines, WATCHED } from './quick-check/index.js';

const RUNS = 3;
/** Of each case; all of them together take less than three minutes where nothing else runs. */
const LIMIT_MINUTES = 6;
const FILE = path.resolve(import.meta.dirname, '../../benchmarks/baselines.json');
const HELP = `Usage: npm run bench:quick [-- --update]

Runs a few benchmarks at small sizes and holds their ratios to those of benchmarks/baselines.json, with wide
tolerances. Status 1 if one of them is worse than that. Times by themselves are not judged.

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
  const { cases, seed, machine } = await runCases(
    {
      chosen: Object.keys(WATCHED).map(findCase),
      scale: 'small',
      runs: RUNS,
      seed: 1 + Math.floor(Math.random() * 2 ** 31),
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
  console.log(`seed ${String(seed)}, load average at the start ${String(machine.load)}\n`);
  const checks = checkRatios(cases, baselines);
  for (const { name, verdict, text } of checks) {
    console.log(`${verdict.padEnd(13)} ${name}: ${text}`);
  }
  if (values.update === true) {
    writeFileSync(FILE, `${JSON.stringify(updateBaselines(cases, baselines), undefined, 2)}\n`);
    console.log(`\nwritten: ${path.relative(process.cwd(), FILE)}`);
    return;
  }
  const bad = checks.filter(({ verdict }) => verdict === 'worse' || verdict === 'failed');
  if (bad.length > 0) {
    console.log(
      `\n${String(bad.length)} of ${String(checks.length)} out of tolerance. If that is meant, \`npm run bench:quick -- --update\`.`,
    );
    process.exitCode = 1;
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
