import {
  atScale,
  compare,
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
import type { ClientMethods } from '../programs/client-child.js';
import type { SessionSpec } from '../programs/sessions/index.js';
import type { CrowdMethods } from '../programs/crowd-child.js';
import { startBenchAgent, startOpenSsh, type BenchAgent } from '../servers/index.js';

const CLIENT = new URL('../programs/client-child.js', import.meta.url);
const CROWD = new URL('../programs/crowd-child.js', import.meta.url);
const KEY_INTERVAL_MS = 20;

interface Probe {
  readonly name: string;
  readonly spec: SessionSpec;
  readonly client: Program<ClientMethods>;
}

/** One agent and the probes that run beside it, all at once, so that they meet the same floods. */
interface Scene {
  /** Where the agent's terminals are served. */
  readonly name: string;
  readonly agent: BenchAgent;
  readonly probes: readonly Probe[];
}

interface Measured {
  readonly latencies: ReadonlyMap<string, readonly number[]>;
  readonly loop: LoopDelay;
  /** What all viewers of the floods got together, in MB/s. */
  readonly delivered: number;
  readonly agentCores: number;
}

const AGENT_PROBE = 'holdfast ssh';
const BARE = 'bare PTY';
const OPENSSH = 'openssh';
const WORKERS = 'terminals on workers';
const MAIN = 'terminals on main (baseline)';
const LOOP = 'main loop delay';
const FLOODS = 'floods and agent';

/** How long a key takes to come back over SSH while other terminals of the agent flood. */
export const echoUnderFlood: BenchCase = {
  name: 'echo-under-flood',
  summary: 'SSH keystroke echo, idle and while 16 shared terminals flood; workers against main',
  run: runEcho,
};

async function runEcho(context: CaseContext): Promise<CaseResult> {
  const settings = atScale(context, {
    tiny: { terminals: 2, viewers: 2, keys: 50 },
    small: { terminals: 16, viewers: 2, keys: 150 },
    normal: { terminals: 16, viewers: 2, keys: 300 },
  });
  const openssh = await startOpenSsh(context.scratch);
  const opensshSpec: SessionSpec | undefined =
    typeof openssh === 'string'
      ? undefined
      : { kind: 'ssh-library', port: openssh.port, keyFile: openssh.keyFile, user: openssh.user };
  if (typeof openssh !== 'string') context.defer(() => openssh.stop());
  const scenes = [
    await prepareScene(context, WORKERS, 'workers', opensshSpec),
    await prepareScene(context, MAIN, 'main', opensshSpec),
  ];
  const crowd = new Program<CrowdMethods>(CROWD);
  context.defer(() => crowd.stop());

  const results = new Map<string, Measured[]>();
  for (let round = 0; round <= context.runs; round += 1) {
    for (const scene of shuffled(scenes, context.random)) {
      for (const load of ['idle', 'flood'] as const) {
        const group = groupName(scene.name, load);
        const stage = round === 0 ? 'warm-up' : `run ${String(round)}/${String(context.runs)}`;
        context.progress.show(`echo-under-flood · ${group} · ${stage}`);
        const keys = round === 0 ? Math.ceil(settings.keys / 5) : settings.keys;
        const result = await measure(scene, crowd, load, { ...settings, keys });
        if (round > 0) results.set(group, [...(results.get(group) ?? []), result]);
      }
    }
  }
  const skipped = typeof openssh === 'string' ? openssh : undefined;
  const rows = scenes.flatMap((scene) =>
    (['idle', 'flood'] as const).flatMap((load) =>
      toRows(scene, groupName(scene.name, load), results, skipped),
    ),
  );
  return {
    settings: { ...settings, 'ms between keys': KEY_INTERVAL_MS, runs: context.runs },
    rows,
    ratios: toRatios(rows),
    notes: [
      'latencies in ms; each run has its own percentile, the table shows their median and spread',
      'loop delay: how late timers of the agent’s main thread fire, which is the thread of its SSH',
      'the baseline runs the same reader, ring, pump and viewers on that thread',
    ],
  };
}

async function prepareScene(
  context: CaseContext,
  name: string,
  terminals: 'workers' | 'main',
  openssh: SessionSpec | undefined,
): Promise<Scene> {
  const agent = await startBenchAgent(context, { terminals });
  const specs: readonly (readonly [string, SessionSpec])[] = [
    [AGENT_PROBE, { kind: 'agent-ssh', socket: agent.socket, hostKey: agent.hostKey }],
    [BARE, { kind: 'bare' }],
    ...(openssh === undefined ? [] : ([[OPENSSH, openssh]] as const)),
  ];
  const probes: Probe[] = [];
  for (const [probe, spec] of specs) {
    const client = new Program<ClientMethods>(CLIENT);
    context.defer(() => client.stop());
    await client.call('open', spec);
    await client.call('prepareEcho', {});
    probes.push({ name: probe, spec, client });
  }
  return { name, agent, probes };
}

async function measure(
  { agent, probes }: Scene,
  crowd: Program<CrowdMethods>,
  load: 'idle' | 'flood',
  { terminals, viewers, keys }: { terminals: number; viewers: number; keys: number },
): Promise<Measured> {
  if (load === 'flood') {
    await crowd.call('start', {
      socket: agent.socket,
      terminals,
      viewers,
      command: 'stty raw -echo; exec cat /dev/zero',
    });
  }
  await agent.program.call('watchLoop', {});
  const before = await crowd.call('figures', {});
  const cpuBefore = treeCpuSeconds([agent.program.pid]);
  const start = performance.now();
  const latencies = await Promise.all(
    probes.map(
      async ({ name, client }) =>
        [name, await client.call('echo', { keys, intervalMs: KEY_INTERVAL_MS })] as const,
    ),
  );
  const seconds = (performance.now() - start) / 1e3;
  const after = await crowd.call('figures', {});
  const agentCores = (treeCpuSeconds([agent.program.pid]) - cpuBefore) / seconds;
  const loop = await agent.program.call('loopDelay', {});
  await crowd.call('stop', {});
  return {
    latencies: new Map(latencies),
    loop,
    delivered: (after.received - before.received) / 1e6 / seconds,
    agentCores,
  };
}

function groupName(scene: string, load: 'idle' | 'flood'): string {
  return `${load === 'idle' ? 'idle' : 'under floods'}, ${scene}`;
}

function toRows(
  scene: Scene,
  group: string,
  results: ReadonlyMap<string, readonly Measured[]>,
  skipped: string | undefined,
): Row[] {
  const runs = results.get(group) ?? [];
  const figure = (name: string, unit: string, read: (run: Measured) => number): Figure => ({
    name,
    unit,
    samples: runs.map(read),
  });
  const rows: Row[] = scene.probes.map((probe) => ({
    group,
    subject: probe.name,
    figures: (
      [
        ['p50', 0.5],
        ['p99', 0.99],
        ['max', 1],
      ] as const
    ).map(([name, q]) => figure(name, 'ms', (run) => latency(run, probe.name, q))),
  }));
  if (skipped !== undefined) rows.push({ group, subject: OPENSSH, figures: [], skipped });
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
      figure('delivered', 'MB/s', ({ delivered }) => delivered),
      figure('agent and programs', 'cores', ({ agentCores }) => agentCores),
    ],
  });
  return rows;
}

function latency(run: Measured, probe: string, q: number): number {
  return quantile(run.latencies.get(probe) ?? [], q);
}

function toRatios(rows: readonly Row[]): Ratio[] {
  const group = groupName(WORKERS, 'flood');
  const baseGroup = groupName(MAIN, 'flood');
  return [
    ...compare(rows, {
      ...{ group, figure: 'p99 ms', ours: AGENT_PROBE, base: BARE, against: 'others' },
      goal: { max: 1.5 },
    }),
    ...compare(rows, {
      ...{ group, figure: 'p99 ms', ours: AGENT_PROBE, base: OPENSSH, against: 'others' },
      goal: { max: 1 },
    }),
    ...compare(rows, {
      ...{ group, baseGroup, figure: 'p99 ms', against: 'ours' },
      ...{ ours: AGENT_PROBE, base: AGENT_PROBE },
    }),
    ...compare(rows, {
      ...{ group, baseGroup, figure: 'p99 ms', against: 'ours' },
      ...{ ours: LOOP, base: LOOP, goal: { max: 0.2 } },
    }),
    ...compare(rows, {
      ...{ group, baseGroup, figure: 'delivered MB/s', against: 'ours' },
      ...{ ours: FLOODS, base: FLOODS, goal: { min: 1 } },
    }),
  ];
}
