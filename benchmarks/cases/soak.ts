import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadResult } from '../../src/main/load/report/index.js';
import {
  atScale,
  drawSeed,
  Program,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Figure,
} from '../harness/index.js';
import type { Lateness, SoakMethods } from '../programs/soak-child.js';

const AGENT = new URL('../programs/soak-child.js', import.meta.url);
const LOAD = fileURLToPath(new URL('../../program/holdfast-load.js', import.meta.url));
const MIB = 2 ** 20;

/** Over a thousand terminals for a long time, with everything coming and going. */
export const soak: BenchCase = {
  name: 'soak',
  summary:
    'W15: 1000 terminals at 1 KiB/s and 100 at 100 KiB/s, everything coming and going, 10 min (--full: 1 h): nothing lost, memory slope',
  minutes: 11,
  run: runSoak,
};

/** What is put on: the profile `soak` of holdfast-load, and how long. */
interface Size {
  readonly duration: string;
  /** In place of what the profile says. */
  readonly options: readonly string[];
}

const SIZES: Readonly<Record<'tiny' | 'normal' | 'full', Size>> = {
  tiny: {
    duration: '5s',
    options: ['--terminals', '20@1KiB/s,4@100KiB/s', '--connections', '3', '--reconnect', '1/s'],
  },
  normal: { duration: '10m', options: [] },
  full: { duration: '1h', options: [] },
};
/**
 * Makes the agent load and open what it does on first use, so that it is not taken for a leak. Each thread of it holds a
 * reserve descriptor of libuv from its first stream on, so there are connections for all of them.
 */
const WARM_UP = [
  ...['--terminals', '8@10KiB/s', '--connections', '4'],
  ...['--duration', '2s', '--reconnect', '1/s'],
];

async function runSoak(context: CaseContext): Promise<CaseResult> {
  const { duration, options } = atScale(context, SIZES);
  const stateDir = path.join(context.scratch, 'agent');
  mkdirSync(stateDir, { mode: 0o700 });
  const agent = new Program<SoakMethods>(AGENT, context.agentNodeOptions);
  context.defer(() => agent.stop());
  const { socket } = await agent.call('start', { stateDir });
  const seed = drawSeed(context.random);
  const load = (args: readonly string[]): Promise<LoadResult> =>
    runLoad(context, [
      ...['--local', '--socket', socket, '--agent-pid', String(agent.pid), '--seed', String(seed)],
      ...['--profile', 'soak', ...args],
    ]);
  await load(WARM_UP);
  await agent.call('watch', {});
  const result = await load([...options, '--duration', duration]);
  return toResult(result, await agent.call('lateness', {}));
}

/** @throws {Error} if anything was lost, doubled or changed, or the load could not be put on. */
async function runLoad(context: CaseContext, args: readonly string[]): Promise<LoadResult> {
  const child = spawn(process.execPath, [LOAD, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const begun = performance.now();
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - begun) / 1e3);
    context.progress.show(`soak · ${String(seconds)} s`);
  }, 1_000);
  context.defer(() => void child.kill('SIGINT'));
  const out: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
  });
  await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  const text = Buffer.concat(out).toString();
  if (text === '') throw new Error(`holdfast-load: ${said}`);
  const result = JSON.parse(text) as LoadResult;
  const isLost = Object.values(result.faults).some((count) => count > 0);
  if (isLost || (result.verdict !== 'ok' && result.verdict !== 'faulty')) {
    const why = [JSON.stringify(result.faults), ...result.samples, said].join('\n');
    throw new Error(`the soak with seed ${String(result.plan.seed)}: ${result.verdict}\n${why}`);
  }
  return result;
}

function toResult(result: LoadResult, lateness: Lateness): CaseResult {
  const { agent, counts, faults, latenciesMs, plan, seconds, bytesPerSecond, errors } = result;
  const figure = (name: string, unit: string, value: number | undefined): Figure[] =>
    value === undefined ? [] : [{ name, unit, samples: [value] }];
  const latency = (name: string, of: keyof LoadResult['latenciesMs']): Figure[] => {
    const summary = latenciesMs[of];
    return [
      ...figure(`${name} p50`, 'ms', summary?.p50),
      ...figure(`${name} p99`, 'ms', summary?.p99),
    ];
  };
  const more = (of: 'fds' | 'threads'): number | undefined =>
    agent?.after === undefined ? undefined : agent.after[of] - agent.before[of];
  const group = plan.groups
    .map(({ count, output }) => `${String(count)} at ${rateOf(output)}`)
    .join(' and ');
  const subject = 'holdfast agent';
  return {
    settings: {
      seconds: Math.round(seconds),
      terminals: plan.terminals + plan.echo,
      connections: plan.connections,
      'terminals replaced': counts.created - plan.terminals - plan.echo,
      'viewers left and came': counts.detaches,
      visits: counts.visits,
      resizes: counts.resizes,
      'connections cut': counts.cuts,
      seed: plan.seed,
    },
    rows: [
      {
        group: `${group}: what arrived`,
        subject,
        figures: [
          ...figure('output', 'MiB/s', bytesPerSecond / MIB),
          ...figure('checked', 'MiB', counts.checkedBytes / MIB),
          ...figure('lost', 'bytes', faults.lostBytes),
          ...figure('twice', 'bytes', faults.doubledBytes),
          ...figure('corrupt', 'lines', faults.corruptLines),
          ...figure('stated gaps', '', counts.statedGaps),
          ...figure('errors', '', sum(Object.values(errors).map(({ count }) => count))),
        ],
      },
      {
        group: `${group}: what it took`,
        subject,
        figures: [
          ...figure('memory slope', 'MiB/min', inMib(agent?.trend?.perMinute)),
          ...figure('± noise', 'MiB/min', inMib(agent?.trend?.noise)),
          ...figure('PSS before', 'MiB', inMib(agent?.before.pssBytes)),
          ...figure('at the end', 'MiB', inMib(agent?.loaded?.pssBytes)),
          ...figure('after', 'MiB', inMib(agent?.after?.pssBytes)),
          ...figure('descriptors left', '', more('fds')),
          ...figure('threads left', '', more('threads')),
          ...figure('CPU', 'cores', agent?.cpu),
        ],
      },
      {
        group: `${group}: how long it took`,
        subject,
        figures: [
          ...latency('echo', 'echo'),
          ...latency('SSH echo', 'sshEcho'),
          ...latency('exec', 'exec'),
          ...latency('attach', 'attach'),
          ...latency('resume', 'resume'),
          ...latency('create', 'create'),
          ...figure('main loop late p99', 'ms', lateness.p99),
          ...figure('max', 'ms', lateness.max),
        ],
      },
    ],
    ratios: [],
    notes: [
      'goals: nothing lost, twice or corrupt (else the case fails); a slope within its noise; no descriptor and no thread left',
      'slope: least squares without the first fifth, with its 95 % interval, neighbours in time counted as the less independent they are',
      'the load is one process on the same machine; what it took itself is in the figures of latency',
    ],
  };
}

function rateOf(output: LoadResult['plan']['groups'][number]['output']): string {
  return output.kind === 'rate' ? `${String(output.bytesPerSecond / 1_024)} KiB/s` : output.kind;
}

/** Bytes as MiB. */
function inMib(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / MIB;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
