import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  atScale,
  compare,
  cpuSeconds,
  findTool,
  holdings,
  missingTools,
  processesWith,
  pssBytes,
  quantile,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Figure,
  type Goal,
  type Row,
} from '../harness/index.js';
import type { LoopDelay } from '../programs/agent-child.js';
import { startTmux, TmuxCommander } from '../servers/index.js';
import { fullRings } from './density-full.js';
import { settle, startPair } from './density-pair.js';
import { peersAndViewers } from './density-peers.js';
import { sshdSessions } from './density-sshd.js';

const KIB = 1024;
const HOLDFAST = 'holdfast';
const TMUX = 'tmux';
const DTACH = 'dtach';
/** For the shells to have printed their prompts, and what was needed once to be given back. */
const SETTLE_MS = 1_500;
const WARM_UP = 20;
const MOST_DTACH = 200;

/** What many terminals that do nothing take. */
export const density: BenchCase = {
  name: 'density',
  summary:
    'W1, W2: 100, 1000 (--full: 3000) idle terminals: memory, threads, descriptors, idle CPU, time to create; full rings; memory per peer and viewer; tmux, dtach, sshd',
  minutes: 10,
  run: runDensity,
};

/** One run with one server. */
interface Measured {
  readonly times: readonly number[];
  /** Bytes of PSS of the server before, and with all terminals. */
  readonly base: number;
  readonly attached: number | undefined;
  readonly detached: number;
  readonly threads: number;
  readonly fds: number;
  /** Share of one core. */
  readonly idle: number;
  readonly loop: LoopDelay | undefined;
}

async function runDensity(context: CaseContext): Promise<CaseResult> {
  const counts = atScale(context, {
    tiny: [10],
    small: [100],
    normal: [100, 1_000],
    full: [100, 1_000, 3_000],
  });
  const idleMs = atScale(context, { tiny: 300, small: 1_000, normal: 3_000 });
  const rows: Row[] = [];
  for (const count of counts) rows.push(...(await runIdle(context, count, idleMs)));
  if (context.scale !== 'small') {
    rows.push(...(await sshdSessions(context, groupName(counts[0] ?? 0))));
    rows.push(...(await fullRings(context)));
    rows.push(...(await peersAndViewers(context)));
  }
  return {
    settings: { terminals: counts.join(', '), 'ms of idling': idleMs, runs: context.runs },
    rows,
    ratios: counts.flatMap((count) =>
      [TMUX, DTACH].flatMap((base) => [
        ...compare(rows, {
          ...{ group: groupName(count), ours: HOLDFAST, base, against: 'others' },
          figure: 'PSS, detached KiB each',
        }),
        ...compare(rows, {
          ...{ group: groupName(count), ours: HOLDFAST, base, against: 'others' },
          figure: 'create p50 ms',
        }),
      ]),
    ),
    notes: [
      'one /bin/sh in each; each run is with a fresh server, since memory once taken is not given back, and so there is no warm-up',
      'PSS is that of the servers, without the shells, and beyond what the server takes by itself (base); threads and descriptors are of the server, for all and those that came first',
      'creating: one after the other; for holdfast until a viewer is attached, for tmux until its server has answered, for dtach until its program has returned',
      `dtach has a process for each terminal, and is measured with at most ${String(MOST_DTACH)}`,
    ],
    plots: ['PSS, detached KiB each', 'create p95 ms'],
  };
}

/** Each run on a fresh server; which comes first changes from run to run. */
async function runIdle(context: CaseContext, count: number, idleMs: number): Promise<Row[]> {
  const group = groupName(count);
  const servers: readonly {
    readonly name: string;
    readonly missing?: string | undefined;
    measure(run: string): Promise<Measured>;
  }[] = [
    { name: HOLDFAST, measure: () => measureHoldfast(context, count, idleMs) },
    {
      name: TMUX,
      missing: missingTools('tmux'),
      measure: (run) => measureTmux(context, count, idleMs, run),
    },
    {
      name: DTACH,
      missing:
        count > MOST_DTACH ? `not with more than ${String(MOST_DTACH)}` : missingTools('dtach'),
      measure: (run) => measureDtach(context, count, idleMs, run),
    },
  ];
  const results = new Map<string, Measured[]>(servers.map(({ name }) => [name, []]));
  for (let run = 1; run <= context.runs; run += 1) {
    const order = context.random() < 0.5 ? servers : [...servers].reverse();
    for (const { name, missing, measure } of order) {
      if (missing !== undefined) continue;
      context.progress.show(
        `density · ${group} · ${name} · run ${String(run)}/${String(context.runs)}`,
      );
      results.get(name)?.push(await measure(`${String(count)}-${String(run)}`));
    }
  }
  return servers.map(({ name, missing }) => ({
    group,
    subject: name,
    figures: missing === undefined ? toFigures(name, count, results.get(name) ?? []) : [],
    skipped: missing,
  }));
}

async function measureHoldfast(
  context: CaseContext,
  count: number,
  idleMs: number,
): Promise<Measured> {
  const { agent, client, stop } = await startPair(context);
  try {
    // The first ones load code that all share, and have what the start left behind collected.
    await client.call('create', { count: WARM_UP });
    await settle(context, SETTLE_MS);
    const { pid } = agent.program;
    const base = pssBytes(pid);
    await agent.program.call('watchLoop', {});
    const times = await client.call('create', { count });
    const loop = await agent.program.call('loopDelay', {});
    await settle(context, SETTLE_MS);
    const attached = pssBytes(pid);
    const { threads, fds } = holdings(pid);
    const idle = await idleShare([pid], idleMs);
    await client.call('detach', {});
    await settle(context, SETTLE_MS);
    return { times, base, attached, detached: pssBytes(pid), threads, fds, idle, loop };
  } finally {
    await stop();
  }
}

async function measureTmux(
  context: CaseContext,
  count: number,
  idleMs: number,
  run: string,
): Promise<Measured> {
  const server = startTmux(path.join(context.scratch, `den-${run}`));
  const commander = new TmuxCommander(server.args);
  try {
    await commander.run('new-session -d -x 80 -y 24 /bin/sh');
    await settle(context, SETTLE_MS);
    const base = pssBytes(server.pid);
    const times: number[] = [];
    for (let made = 0; made < count; made += 1) {
      const begin = performance.now();
      await commander.run('new-session -d -x 80 -y 24 /bin/sh');
      times.push(performance.now() - begin);
    }
    await settle(context, SETTLE_MS);
    return {
      ...{ times, base, attached: undefined, loop: undefined },
      detached: pssBytes(server.pid),
      ...holdings(server.pid),
      idle: await idleShare([server.pid], idleMs),
    };
  } finally {
    await commander.stop();
    server.stop();
  }
}

async function measureDtach(
  context: CaseContext,
  count: number,
  idleMs: number,
  run: string,
): Promise<Measured> {
  const dtach = findTool('dtach') ?? 'dtach';
  const prefix = path.join(context.scratch, `dn-${run}-`);
  try {
    const times: number[] = [];
    for (let made = 0; made < count; made += 1) {
      const begin = performance.now();
      execFileSync(dtach, ['-n', `${prefix}${String(made)}`, '-z', '/bin/sh'], { stdio: 'ignore' });
      times.push(performance.now() - begin);
    }
    await settle(context, SETTLE_MS);
    const masters = processesWith(prefix);
    const sum = (read: (pid: number) => number): number =>
      masters.reduce((total, pid) => total + read(pid), 0);
    return {
      ...{ times, base: 0, attached: undefined, loop: undefined },
      detached: sum(pssBytes),
      threads: sum((pid) => holdings(pid).threads),
      fds: sum((pid) => holdings(pid).fds),
      idle: await idleShare(masters, idleMs),
    };
  } finally {
    for (const pid of processesWith(prefix)) process.kill(pid, 'SIGTERM');
  }
}

/** CPU of these processes while nothing happens, as a share of one core. */
async function idleShare(pids: readonly number[], milliseconds: number): Promise<number> {
  const cpu = (): number => pids.reduce((total, pid) => total + cpuSeconds(pid), 0);
  const before = cpu();
  const start = performance.now();
  await sleep(milliseconds);
  return ((cpu() - before) * 1e3) / (performance.now() - start);
}

function toFigures(name: string, count: number, runs: readonly Measured[]): Figure[] {
  const isGoal = name === HOLDFAST && count >= 1_000;
  const figure = (
    title: string,
    unit: string,
    read: (run: Measured) => number | undefined,
    goal?: Goal,
  ): Figure[] => {
    const samples = runs.map(read).filter((sample) => sample !== undefined);
    return samples.length === 0
      ? []
      : [{ name: title, unit, samples, goal: isGoal ? goal : undefined }];
  };
  const each = (bytes: number | undefined, base: number): number | undefined =>
    bytes === undefined ? undefined : (bytes - base) / count / KIB;
  const create = (q: number) => (run: Measured) => quantile(run.times, q);
  return [
    ...figure('create p50', 'ms', create(0.5)),
    ...figure('create p95', 'ms', create(0.95), { max: 15 }),
    ...figure('create p99', 'ms', create(0.99)),
    ...figure('create max', 'ms', create(1)),
    ...figure('main loop stall', 'ms', ({ loop }) => loop?.max),
    ...figure('PSS, attached', 'KiB each', ({ attached, base }) => each(attached, base), {
      max: 40,
    }),
    ...figure('PSS, detached', 'KiB each', ({ detached, base }) => each(detached, base)),
    ...figure('base PSS', 'MiB', ({ base }) => base / KIB / KIB),
    ...figure('threads', '', ({ threads }) => threads),
    ...figure('descriptors', '', ({ fds }) => fds),
    ...figure('idle CPU', '%', ({ idle }) => idle * 100, { max: 1 }),
  ];
}

function groupName(count: number): string {
  return `${String(count)} idle terminals`;
}
