import {
  atScale,
  compare,
  jain,
  Program,
  quantile,
  shuffled,
  treeCpuSeconds,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Figure,
  type Ratio,
  type Row,
} from '../harness/index.js';
import type { LoopDelay } from '../programs/agent-child.js';
import type { ViewersMethods } from '../programs/viewers-child.js';
import { startOpenSsh, startSshAgent, type BenchSshAgent } from '../servers/index.js';
import { openProbes, OPENSSH, PROBES, type Probes, type Samples } from './echo-probes.js';
import { startCopies } from './copies.js';

const VIEWERS = new URL('../programs/viewers-child.js', import.meta.url);
const KEY_INTERVAL_MS = 20;
/** Between two commands; with less, the commands themselves would be the load. */
const EXEC_INTERVAL_MS = 250;
/** At each viewer, before a flood counts as one. */
const FLOWING_BYTES = 64 * 1024;

const LOOP = 'main loop delay';
const FLOODS = 'floods and agent';
const COPY = 'copy by scp';

/** What goes on beside the probes. */
interface Load {
  readonly terminals: number;
  /** Of each terminal. */
  readonly viewers: number;
  /** A file is copied to the agent by `scp` again and again. */
  readonly copies: boolean;
}

/** One agent and the probes that run beside it, all at once, so that they meet the same floods. */
interface Scene {
  readonly group: string;
  readonly agent: BenchSshAgent;
  readonly probes: Probes;
  readonly load: Load;
}

interface Measured {
  readonly samples: Samples;
  readonly loop: LoopDelay;
  /** What all viewers of the floods got together, in MB/s. */
  readonly delivered: number;
  /** Of the output of the floods' terminals. */
  readonly fairness: number;
  readonly agentCores: number;
  readonly viewerCores: number;
  /** MB/s of the copies. */
  readonly copied: number;
}

/** How long a key and a command take over SSH, and a key in a quiet terminal, while others flood. */
export const echoUnderFlood: BenchCase = {
  name: 'echo-under-flood',
  summary:
    'W5: echo over SSH and in quiet terminals, and SSH exec, idle and under up to 32 shared floods; workers against main, OpenSSH, a bare PTY',
  minutes: 5,
  run: runEcho,
};

async function runEcho(context: CaseContext): Promise<CaseResult> {
  const { keys, quiet, loads } = atScale<{
    readonly keys: number;
    readonly quiet: number;
    readonly loads: readonly (readonly [number, number])[];
  }>(context, {
    tiny: { keys: 40, quiet: 4, loads: [[2, 2]] },
    small: { keys: 100, quiet: 4, loads: [[16, 2]] },
    normal: {
      keys: 250,
      quiet: 20,
      loads: [
        [4, 2],
        [16, 2],
        [32, 8],
      ],
    },
  });
  const openssh = await startOpenSsh(context.scratch);
  if (typeof openssh !== 'string') context.defer(() => openssh.stop());
  const target = typeof openssh === 'string' ? undefined : openssh;
  const main = loads.find(([terminals]) => terminals === 16) ?? loads[0] ?? [1, 1];
  const scenes: Scene[] = [];
  for (const kind of ['workers', 'main'] as const) {
    const agent = await startSshAgent(context, { terminals: kind });
    const probes = await openProbes(context, agent, { openssh: target, quiet, execs: true });
    const add = (terminals: number, viewers: number, copies: boolean): void => {
      const load = { terminals, viewers, copies };
      scenes.push({ group: groupName(kind, load), agent, probes, load });
    };
    if (context.scale !== 'small') add(0, 0, false);
    for (const [terminals, viewers] of kind === 'main' ? [main] : loads) {
      add(terminals, viewers, false);
    }
    if (kind === 'workers' && context.scale !== 'small') add(main[0], main[1], true);
  }
  const viewers = new Program<ViewersMethods>(VIEWERS);
  context.defer(() => viewers.stop());

  const results = new Map<string, Measured[]>(scenes.map(({ group }) => [group, []]));
  for (let round = 0; round <= context.runs; round += 1) {
    for (const scene of shuffled(scenes, context.random)) {
      const stage = round === 0 ? 'warm-up' : `run ${String(round)}/${String(context.runs)}`;
      context.progress.show(`echo-under-flood · ${scene.group} · ${stage}`);
      const result = await measure(context, scene, viewers, round === 0 ? 30 : keys);
      if (round > 0) results.get(scene.group)?.push(result);
    }
  }
  const rows = scenes.flatMap((scene) => toRows(scene, results.get(scene.group) ?? []));
  if (typeof openssh === 'string') {
    rows.push(
      ...scenes.map(({ group }) => ({ group, subject: OPENSSH, figures: [], skipped: openssh })),
    );
  }
  return {
    settings: {
      keys,
      'quiet terminals': quiet,
      'ms between keys': KEY_INTERVAL_MS,
      'ms between commands': EXEC_INTERVAL_MS,
      runs: context.runs,
    },
    rows,
    ratios: loads.flatMap(([terminals, count]) =>
      toRatios(rows, { terminals, viewers: count, copies: false }, terminals === main[0]),
    ),
    notes: [
      'latencies in ms; each run has its own percentile, the table shows their median and spread',
      'keys are typed whether the last one was echoed or not, so a stall costs every key that falls into it',
      'quiet terminals: one key in each of them in turn, by one client, beside floods in other terminals of the same agent',
      'loop delay: how late timers of the agent’s main thread fire, which is the thread of its SSH',
      'Jain: how equally the floods’ terminals got on, 1 if all did alike',
      'on main: the same reader, ring, pump and viewers run on that thread; nobody would build it so, it shows what the threads buy',
    ],
    plots: ['p99 ms'],
  };
}

async function measure(
  context: CaseContext,
  { agent, probes, load }: Scene,
  viewers: Program<ViewersMethods>,
  keys: number,
): Promise<Measured> {
  if (load.terminals > 0) {
    await viewers.call('start', {
      socket: agent.socket,
      viewers: load.viewers,
      commands: Array.from({ length: load.terminals }, () => [
        '/bin/sh',
        '-c',
        'stty raw -echo; exec cat /dev/zero',
      ]),
      typists: 'first',
    });
    await viewers.call('flowing', { bytes: FLOWING_BYTES });
  }
  const copies = load.copies ? startCopies(context, agent.target) : undefined;
  await agent.program.call('watchLoop', {});
  const before = await viewers.call('figures', {});
  const cpu = (): number[] => [agent.program.pid, viewers.pid].map((pid) => treeCpuSeconds([pid]));
  const cpuBefore = cpu();
  const start = performance.now();
  const samples = await probes.measure({
    keys,
    keyIntervalMs: KEY_INTERVAL_MS,
    execIntervalMs: EXEC_INTERVAL_MS,
  });
  const seconds = (performance.now() - start) / 1e3;
  const cpuAfter = cpu();
  const after = await viewers.call('figures', {});
  const loop = await agent.program.call('loopDelay', {});
  const copied = (await copies?.stop()) ?? 0;
  await viewers.call('stop', {});
  const cores = (index: number): number =>
    ((cpuAfter[index] ?? 0) - (cpuBefore[index] ?? 0)) / seconds;
  return {
    samples,
    loop,
    delivered: (after.received - before.received) / 1e6 / seconds,
    fairness:
      load.terminals === 0
        ? 1
        : jain(after.byTerminal.map((bytes, index) => bytes - (before.byTerminal[index] ?? 0))),
    agentCores: cores(0),
    viewerCores: cores(1),
    copied,
  };
}

function groupName(kind: 'workers' | 'main', { terminals, viewers, copies }: Load): string {
  const place = kind === 'workers' ? 'terminals on workers' : 'terminals on main (baseline)';
  if (terminals === 0) return `idle, ${place}`;
  const scp = copies ? ' and scp' : '';
  return `${String(terminals)} floods x ${String(viewers)} viewers${scp}, ${place}`;
}

function toRows({ group, load }: Scene, runs: readonly Measured[]): Row[] {
  const figure = (name: string, unit: string, read: (run: Measured) => number): Figure => ({
    name,
    unit,
    samples: runs.map(read),
  });
  const latencies = (read: (run: Measured) => readonly number[]): Figure[] => [
    figure('p50', 'ms', (run) => quantile(read(run), 0.5)),
    figure('p99', 'ms', (run) => quantile(read(run), 0.99)),
    figure('max', 'ms', (run) => quantile(read(run), 1)),
  ];
  const rows: Row[] = Object.values(PROBES)
    .filter((probe) => runs.every(({ samples }) => samples.has(probe)))
    .map((probe) => ({
      group,
      subject: probe,
      figures: latencies(({ samples }) => samples.get(probe) ?? []),
    }));
  rows.push({
    group,
    subject: LOOP,
    figures: [
      figure('p50', 'ms', ({ loop }) => loop.p50),
      figure('p99', 'ms', ({ loop }) => loop.p99),
      figure('max', 'ms', ({ loop }) => loop.max),
    ],
  });
  rows.push({
    group,
    subject: FLOODS,
    figures: [
      ...(load.terminals === 0
        ? []
        : [
            figure('delivered', 'MB/s', ({ delivered }) => delivered),
            figure('fairness', 'Jain', ({ fairness }) => fairness),
            figure('viewers', 'cores', ({ viewerCores }) => viewerCores),
          ]),
      figure('agent and programs', 'cores', ({ agentCores }) => agentCores),
    ],
  });
  if (load.copies) {
    rows.push({
      group,
      subject: COPY,
      figures: [figure('delivered', 'MB/s', ({ copied }) => copied)],
    });
  }
  return rows;
}

function toRatios(rows: readonly Row[], load: Load, isGoal: boolean): Ratio[] {
  const group = groupName('workers', load);
  const baseGroup = groupName('main', load);
  const goal = <G>(bounds: G): G | undefined => (isGoal ? bounds : undefined);
  return [
    ...compare(rows, {
      ...{ group, figure: 'p99 ms', ours: PROBES.ssh, base: PROBES.bare, against: 'others' },
      goal: goal({ max: 1.5 }),
    }),
    ...compare(rows, {
      ...{ group, figure: 'p99 ms', ours: PROBES.ssh, base: PROBES.openssh, against: 'others' },
      goal: goal({ max: 1 }),
    }),
    ...compare(rows, {
      ...{ group, figure: 'p99 ms', ours: PROBES.quiet, base: PROBES.bare, against: 'others' },
    }),
    ...compare(rows, {
      ...{ group, figure: 'p99 ms', against: 'others' },
      ...{ ours: PROBES.exec, base: PROBES.opensshExec },
    }),
    ...compare(rows, {
      ...{ group, baseGroup, figure: 'p99 ms', against: 'ours' },
      ...{ ours: PROBES.ssh, base: PROBES.ssh },
    }),
    ...compare(rows, {
      ...{ group, baseGroup, figure: 'p99 ms', against: 'ours' },
      ...{ ours: LOOP, base: LOOP, goal: goal({ max: 0.2 }) },
    }),
    ...compare(rows, {
      ...{ group, baseGroup, figure: 'delivered MB/s', against: 'ours' },
      ...{ ours: FLOODS, base: FLOODS, goal: goal({ min: 1 }) },
    }),
  ];
}
