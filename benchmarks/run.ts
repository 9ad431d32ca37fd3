/** `npm run bench -- NAME...`: runs benchmarks, prints tables, writes JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cases } from './cases/index.js';
import {
  drawSeed,
  formatCase,
  goalsMarkdown,
  goalsOf,
  type Report,
  type Scale,
} from './harness/index.js';
import { findCase, runCases, UsageError, type Invocation } from './invocation.js';

const DEFAULT_RUNS = 5;
const QUICK_RUNS = 2;
/** Far more than any case should take; what hangs has to end. */
const LIMIT_MINUTES = { tiny: 10, small: 10, normal: 25, full: 120 } as const;
const ROOT = path.resolve(import.meta.dirname, '../..');
const RESULTS = path.join(ROOT, 'benchmarks/results');

const HELP = `Usage: npm run bench -- [NAME...] [options]

Runs the named benchmarks, or all of them.

  --list         say which there are
  --runs N       measured runs of each subject (default ${String(DEFAULT_RUNS)})
  --quick        tiny sizes and ${String(QUICK_RUNS)} runs: shows that it works, the figures mean nothing
  --full         the largest sizes of those that have some, which take long
  --seed N       repeat the order and inputs of an earlier invocation
  --json FILE    where the results go (default benchmarks/results/TIME.json)
  --markdown FILE  write the goals and how they went as a table of Markdown
  --cpu-prof     write a CPU profile of each agent's main thread and workers to benchmarks/results
  --help         this text

\`npm run bench:report\` makes a page of the results.`;

interface Options extends Invocation {
  readonly json: string;
  /** Absent: no table is written. */
  readonly markdown: string | undefined;
}

function readOptions(): Options | string {
  const { values, positionals } = parseArguments();
  if (values.help === true) return HELP;
  if (values.list === true) {
    return cases.map(({ name, summary }) => `${name.padEnd(20)}${summary}`).join('\n');
  }
  if (values.quick === true && values.full === true) {
    throw new UsageError('--quick and --full exclude each other');
  }
  const scale: Scale = values.quick === true ? 'tiny' : values.full === true ? 'full' : 'normal';
  const stamp = new Date().toISOString().replaceAll(':', '-').slice(0, 19);
  return {
    chosen: positionals.length === 0 ? cases : positionals.map(findCase),
    scale,
    limitMinutes: LIMIT_MINUTES[scale],
    runs: count(values.runs, scale === 'tiny' ? QUICK_RUNS : DEFAULT_RUNS),
    seed: count(values.seed, drawSeed(Math.random)),
    json:
      values.json === undefined ? path.join(RESULTS, `${stamp}.json`) : path.resolve(values.json),
    markdown: values.markdown === undefined ? undefined : path.resolve(values.markdown),
    agentNodeOptions:
      values['cpu-prof'] === true ? ['--cpu-prof', `--cpu-prof-dir=${RESULTS}/profiles`] : [],
  };
}

function parseArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        list: { type: 'boolean' },
        runs: { type: 'string' },
        quick: { type: 'boolean' },
        full: { type: 'boolean' },
        seed: { type: 'string' },
        json: { type: 'string' },
        markdown: { type: 'string' },
        'cpu-prof': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function count(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (/^[1-9][0-9]{0,9}$/.test(text)) return Number(text);
  throw new UsageError(`not a number above 0: ${text}`);
}

function write(json: string, report: Report): void {
  mkdirSync(path.dirname(json), { recursive: true });
  writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
}

async function main(): Promise<void> {
  const options = readOptions();
  if (typeof options === 'string') {
    console.log(options);
    return;
  }
  const { json, markdown } = options;
  const { cases: ran } = await runCases(options, {
    start: ({ machine, seed }) => {
      console.log(
        `${machine.cpu}, ${String(machine.cores)} cores, ${machine.distribution}, ${machine.kernel}, node ${machine.node}, holdfast ${machine.holdfast} ${machine.commit ?? ''}`,
      );
      const tools = Object.entries(machine.tools).map(([name, version]) => `${name}: ${version}`);
      console.log(tools.join('; '));
      console.log(`seed ${String(seed)}, load average ${String(machine.load)}\n`);
    },
    before: ({ name }, left, minutes) => {
      const time = minutes < 1 ? 'less than a minute' : `about ${minutes.toFixed(0)} min`;
      console.log(`${name}: ${String(left)} to go, ${time}`);
    },
    after: (report, last) => {
      console.log(formatCase(last.name, last));
      if (last.failed !== undefined) console.log(`  FAILED: ${last.failed}\n`);
      console.log(
        `  took ${last.seconds.toFixed(0)} s${last.stolenPercent >= 1 ? `, ${last.stolenPercent.toFixed(1)} % of the machine's time was given to others` : ''}\n`,
      );
      write(json, report);
    },
  });
  summarizeAll(ran);
  if (markdown !== undefined) writeFileSync(markdown, goalsMarkdown(ran));
  console.log(`results: ${path.relative(process.cwd(), json)}`);
}

function summarizeAll(ran: Report['cases']): void {
  const goals = goalsOf(ran);
  const met = goals.filter(({ verdict }) => verdict.met).length;
  if (goals.length > 0) console.log(`goals met: ${String(met)} of ${String(goals.length)}`);
  const failed = ran.filter((each) => each.failed !== undefined);
  if (failed.length === 0) return;
  console.log(`failed: ${failed.map(({ name }) => name).join(', ')}`);
  process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode ??= error instanceof UsageError ? 2 : 1;
}
// What an interrupted case left pending must not hold the process.
process.exit();
