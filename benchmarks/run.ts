/** `npm run bench -- NAME...`: runs benchmarks, prints tables, writes JSON. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cases } from './cases/index.js';
import {
  describeMachine,
  formatCase,
  Progress,
  seededRandom,
  type BenchCase,
  type CaseResult,
  type Report,
} from './harness/index.js';

const DEFAULT_RUNS = 5;
const QUICK_RUNS = 2;
const ROOT = path.resolve(import.meta.dirname, '../..');
const RESULTS = path.join(ROOT, 'benchmarks/results');

const HELP = `Usage: npm run bench -- [NAME...] [options]

Runs the named benchmarks, or all of them.

  --list         say which there are
  --runs N       measured runs of each subject (default ${String(DEFAULT_RUNS)})
  --quick        tiny sizes and ${String(QUICK_RUNS)} runs: shows that it works, the figures mean nothing
  --seed N       repeat the order and inputs of an earlier invocation
  --json FILE    where the results go (default benchmarks/results/TIME.json)
  --cpu-prof     write a CPU profile of each agent's main thread and workers to benchmarks/results
  --help         this text`;

interface Options {
  readonly chosen: readonly BenchCase[];
  readonly runs: number;
  readonly quick: boolean;
  readonly seed: number;
  readonly json: string;
  readonly agentNodeOptions: readonly string[];
}

class UsageError extends Error {}

function readOptions(startedAt: Date): Options | string {
  const { values, positionals } = parseArguments();
  if (values.help === true) return HELP;
  if (values.list === true) {
    return cases.map(({ name, summary }) => `${name.padEnd(18)}${summary}`).join('\n');
  }
  const chosen = positionals.length === 0 ? cases : positionals.map(findCase);
  const quick = values.quick === true;
  const stamp = startedAt.toISOString().replaceAll(':', '-').slice(0, 19);
  return {
    chosen,
    quick,
    runs: count(values.runs, quick ? QUICK_RUNS : DEFAULT_RUNS),
    seed: count(values.seed, 1 + Math.floor(Math.random() * 2 ** 31)),
    json:
      values.json === undefined ? path.join(RESULTS, `${stamp}.json`) : path.resolve(values.json),
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
        seed: { type: 'string' },
        json: { type: 'string' },
        'cpu-prof': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function findCase(name: string): BenchCase {
  const found = cases.find((candidate) => candidate.name === name);
  if (found === undefined) {
    throw new UsageError(`no benchmark is called ${name}; --list names them`);
  }
  return found;
}

function count(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (/^[1-9][0-9]{0,9}$/.test(text)) return Number(text);
  throw new UsageError(`not a number above 0: ${text}`);
}

/** Runs one case in a folder of its own and undoes what it started, however it ends. */
async function runCase(
  benchCase: BenchCase,
  options: Options,
  progress: Progress,
  interrupted: Promise<never>,
): Promise<CaseResult> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'hf-bench-'));
  const undo: (() => Promise<void> | void)[] = [];
  try {
    const result = benchCase.run({
      ...options,
      random: seededRandom(options.seed),
      progress,
      scratch,
      defer: (step) => undo.push(step),
    });
    return await Promise.race([result, interrupted]);
  } finally {
    for (const step of undo.reverse()) await step();
    rmSync(scratch, { recursive: true, force: true });
    progress.clear();
  }
}

async function main(): Promise<void> {
  const startedAt = new Date();
  const options = readOptions(startedAt);
  if (typeof options === 'string') {
    console.log(options);
    return;
  }
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.exitCode = 130;
        reject(new Error(`interrupted by ${signal}`));
      });
    }
  });
  interrupted.catch(() => undefined);
  const machine = describeMachine();
  const { chosen, runs, quick, seed, json } = options;
  console.log(
    `${machine.cpu}, ${String(machine.cores)} cores, ${machine.distribution}, ${machine.kernel}, node ${machine.node}, holdfast ${machine.holdfast} ${machine.commit ?? ''}`,
  );
  console.log(`seed ${String(seed)}, load average ${String(machine.load)}\n`);
  const progress = new Progress();
  const finished: Report['cases'][number][] = [];
  for (const benchCase of chosen) {
    const start = performance.now();
    const result = await runCase(benchCase, options, progress, interrupted);
    const seconds = Math.round((performance.now() - start) / 100) / 10;
    finished.push({ name: benchCase.name, seconds, ...result });
    console.log(formatCase(benchCase.name, result));
    // After each case, so that what is done outlives a failure of the next.
    const report: Report = {
      format: 1,
      startedAt: startedAt.toISOString(),
      machine,
      seed,
      runs,
      quick,
      cases: finished,
    };
    mkdirSync(path.dirname(json), { recursive: true });
    writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  console.log(`results: ${path.relative(process.cwd(), json)}`);
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode ??= error instanceof UsageError ? 2 : 1;
}
// What an interrupted case left pending must not hold the process.
process.exit();
