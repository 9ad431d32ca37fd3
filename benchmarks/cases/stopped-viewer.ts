import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  alternate,
  atScale,
  compare,
  missingTools,
  Program,
  treePssBytes,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Row,
} from '../harness/index.js';
import type { OtherViewers } from '../programs/viewers/index.js';
import type { ViewersMethods } from '../programs/viewers-child.js';
import { startAbduco, startBenchAgent, startDtach, startTmux } from '../servers/index.js';

const MIB = 2 ** 20;
const VIEWERS = new URL('../programs/viewers-child.js', import.meta.url);
const LINE = `${'the quick brown fox jumps over the lazy dog '.repeat(2).slice(0, 78)}\r\n`;
/** At each viewer before a flood counts as one. */
const FLOWING_BYTES = 64 * 1024;
/** Viewers that read all the time. */
const READING = 2;
const ALL_READ = 'three viewers, all of them read';
const ONE_STOPPED = 'three viewers, one of them stopped';
const HOLDFAST = 'holdfast';
const SLOWEST = 'holdfast, pace slowest';
/** What a terminal may keep for somebody who does not read: the ring at its most, and what is under way. */
const MOST_MIB = 16;

/** What a viewer that does not read any more costs the others, and the server. */
export const stoppedViewer: BenchCase = {
  name: 'stopped-viewer',
  summary:
    'W7: a flood to three viewers, one of which is stopped (SIGSTOP): what the others get, and the memory it takes; dtach, abduco, tmux -C',
  minutes: 5,
  run: runStopped,
};

interface Measured {
  /** Of those that read, each on average, in MB/s. */
  readonly rate: number;
  /** Since before the stop, in MiB. */
  readonly growth: number;
}

/** A terminal that floods. */
interface Flood {
  readonly pid: number;
  /** Attaches viewers that read, and those that may be stopped. */
  attach(reading: Program<ViewersMethods>, other: Program<ViewersMethods>): Promise<void>;
  stop(): Promise<void> | void;
}

interface Server {
  readonly name: string;
  readonly missing?: string | undefined;
  /** Until it does not wait any more for a viewer that has stopped. */
  readonly settleMs: number;
  start(): Promise<Flood>;
}

async function runStopped(context: CaseContext): Promise<CaseResult> {
  const milliseconds = atScale(context, { tiny: 300, normal: 3_000 });
  const all = await prepareServers(context);
  const servers = all.filter(({ missing }) => missing === undefined);
  const rows: Row[] = [];
  const subjects = [ALL_READ, ONE_STOPPED].flatMap((group) =>
    servers.map((server) => ({ name: `${server.name} · ${group}`, group, server })),
  );
  const results = await alternate(
    subjects.map(({ name, group, server }) => ({
      name,
      measure: () => measure(context, server, group === ONE_STOPPED, milliseconds),
    })),
    context,
    'stopped-viewer',
  );
  for (const { name, group, server } of subjects) {
    rows.push(toRow(group, server.name, results.get(name) ?? []));
  }
  for (const { name, missing } of all) {
    if (missing === undefined) continue;
    rows.push({ group: ALL_READ, subject: name, figures: [], skipped: missing });
  }
  return {
    settings: { ms: milliseconds, runs: context.runs },
    rows,
    ratios: servers.flatMap(({ name }) =>
      compare(rows, {
        ...{ group: ONE_STOPPED, baseGroup: ALL_READ, ours: name, base: name },
        against: 'ours',
        goal: name.startsWith(HOLDFAST) ? { min: 0.9 } : undefined,
      }),
    ),
    notes: [
      'MB/s of each of the two viewers that read, on average; a ratio of one and the same program, with a viewer stopped to without',
      `${SLOWEST}: waits for all who count, which a viewer that acknowledges nothing does not after some seconds; measured after that`,
      'dtach drops what a viewer does not take at the moment; of tmux in control mode the stopped viewer is a process of its own',
      'growth: of the server’s memory from before the stop to the end',
    ],
    plots: ['MB/s'],
  };
}

async function measure(
  context: CaseContext,
  server: Server,
  isStopped: boolean,
  milliseconds: number,
): Promise<Measured> {
  const reading = new Program<ViewersMethods>(VIEWERS);
  const other = new Program<ViewersMethods>(VIEWERS);
  context.defer(() => reading.stop());
  context.defer(async () => {
    go(other.pid);
    await other.stop();
  });
  const flood = await server.start();
  try {
    await flood.attach(reading, other);
    await reading.call('flowing', { bytes: FLOWING_BYTES });
    await other.call('flowing', { bytes: FLOWING_BYTES });
    const before = treePssBytes([flood.pid]);
    if (isStopped) process.kill(other.pid, 'SIGSTOP');
    await sleep(server.settleMs);
    const first = await reading.call('figures', {});
    const start = performance.now();
    await sleep(milliseconds);
    const last = await reading.call('figures', {});
    const seconds = (performance.now() - start) / 1e3;
    const growth = (treePssBytes([flood.pid]) - before) / MIB;
    const gained = last.byViewer.map((bytes, index) => bytes - (first.byViewer[index] ?? 0));
    const rate = gained.reduce((sum, bytes) => sum + bytes, 0) / READING / 1e6 / seconds;
    return { rate, growth };
  } finally {
    go(other.pid);
    await flood.stop();
    await Promise.all([reading.stop(), other.stop()]);
  }
}

/** Lets a stopped process go on. */
function go(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended.
  }
}

async function prepareServers(context: CaseContext): Promise<Server[]> {
  const text = path.join(context.scratch, 'text');
  writeFileSync(text, LINE.repeat(MIB / LINE.length));
  const command = ['/bin/sh', '-c', `stty raw -echo; while :; do cat ${text}; done`];
  const agent = await startBenchAgent(context, { terminals: 'workers' });
  const holdfast = (name: string, settleMs: number, pace?: 'slowest'): Server => ({
    name,
    settleMs,
    start: async () => ({
      pid: agent.program.pid,
      attach: async (reading, other) => {
        const { socket } = agent;
        const ids = await reading.call('start', {
          ...{ socket, viewers: READING, commands: [command], typists: 'all' },
          ...(pace === undefined ? {} : { settings: { pace } }),
        });
        await other.call('join', { socket, viewers: 1, ids, typists: 'all' });
        running = reading;
      },
      stop: async () => {
        await running?.call('stop', {});
      },
    }),
  });
  let running: Program<ViewersMethods> | undefined;
  let count = 0;
  const foreign = (
    name: 'dtach' | 'abduco' | 'tmux',
    start: (
      socket: string,
    ) => Promise<{ readonly pid: number; readonly spec: OtherViewers; stop: Flood['stop'] }>,
  ): Server => ({
    name: name === 'tmux' ? 'tmux -C' : name,
    missing: missingTools(name),
    settleMs: settle,
    start: async () => {
      count += 1;
      const socket = path.join(context.scratch, `${name.slice(0, 1)}${String(count)}`);
      const { pid, spec, stop } = await start(socket);
      return {
        pid,
        attach: async (reading, other) => {
          await reading.call('startOthers', { viewers: READING, spec });
          await other.call('startOthers', { viewers: 1, spec });
        },
        stop,
      };
    },
  });
  const settle = context.scale === 'tiny' ? 100 : 1_000;
  return [
    holdfast(HOLDFAST, settle),
    holdfast(SLOWEST, context.scale === 'tiny' ? 100 : 7_000, 'slowest'),
    foreign('dtach', async (socket) => {
      const { pid, stop } = await startDtach(socket, command);
      return { pid, stop, spec: { kind: 'dtach', socket } };
    }),
    foreign('abduco', async (socket) => {
      const { pid, stop } = await startAbduco(socket, command);
      return { pid, stop, spec: { kind: 'abduco', socket } };
    }),
    foreign('tmux', async (socket) => {
      const { pid, stop, control } = startTmux(socket, command);
      if (control.kind !== 'tmux-control') throw new TypeError('another kind of client');
      return { pid, stop, spec: control };
    }),
  ];
}

function toRow(group: string, subject: string, runs: readonly Measured[]): Row {
  const isGoal = group === ONE_STOPPED && subject.startsWith(HOLDFAST);
  return {
    group,
    subject,
    figures: [
      { name: '', unit: 'MB/s', samples: runs.map(({ rate }) => rate) },
      {
        ...{ name: 'growth', unit: 'MiB', samples: runs.map(({ growth }) => growth) },
        goal: isGoal ? { max: MOST_MIB } : undefined,
      },
    ],
  };
}
