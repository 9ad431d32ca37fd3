import { writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  alternate,
  atScale,
  compare,
  flowFigures,
  missingTools,
  Program,
  wallNow,
  withCosts,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Figure,
  type Flow,
  type Ratio,
  type Row,
  type Subject,
} from '../harness/index.js';
import type { LoopDelay } from '../programs/agent-child.js';
import type { OtherViewers } from '../programs/viewers/index.js';
import type { CrowdFigures, ViewersMethods } from '../programs/viewers-child.js';
import {
  startAbduco,
  startBenchAgent,
  startDtach,
  startTmux,
  type BenchAgent,
} from '../servers/index.js';
import { holdProgram } from './held-program.js';

const MIB = 2 ** 20;
const VIEWERS = new URL('../programs/viewers-child.js', import.meta.url);
/** Text as most output is: nothing to unescape, nothing to fold. */
const LINE = `${'the quick brown fox jumps over the lazy dog '.repeat(2).slice(0, 78)}\r\n`;

const HOLDFAST = 'holdfast';
const SLOWEST = 'holdfast, pace slowest';
const MAIN = 'holdfast on main (baseline)';
const ABDUCO = 'abduco';
const DTACH = 'dtach';
const TMUX = 'tmux -C';
const WORKERS = [1, 2, 4] as const;

/** One producer and many viewers that only count. */
export const fanOut: BenchCase = {
  name: 'fan-out',
  summary:
    'W4: one producer to 1, 8, 64 and 256 viewers on the local socket; workers against main, abduco, dtach, tmux -C',
  minutes: 2,
  run: runFanOut,
};

interface Measured extends Flow {
  /** Of all that should have come to all viewers, in percent. */
  readonly missedShare: number;
  /** Absent: it has no loop of ours. */
  readonly loop: LoopDelay | undefined;
}

/** How many viewers get how much. */
interface Size {
  readonly viewers: number;
  readonly bytes: number;
}

/** Somebody who serves a terminal to viewers. */
interface Server {
  readonly name: string;
  /** Whether it is measured with so many viewers. */
  takes(viewers: number): boolean;
  measure(size: Size): Promise<Measured>;
}

async function runFanOut(context: CaseContext): Promise<CaseResult> {
  const sizes = atScale<readonly Size[]>(context, {
    tiny: [1, 8].map((viewers) => ({ viewers, bytes: MIB })),
    small: [{ viewers: 64, bytes: 4 * MIB }],
    normal: [
      { viewers: 1, bytes: 48 * MIB },
      { viewers: 8, bytes: 24 * MIB },
      { viewers: 64, bytes: 6 * MIB },
      { viewers: 256, bytes: MIB },
    ],
  });
  const text = path.join(context.scratch, 'text');
  writeFileSync(text, LINE.repeat(MIB / LINE.length + 1).slice(0, MIB));
  const { servers, missing } = await prepareServers(context, text);
  const rows: Row[] = [];
  for (const size of sizes) {
    const group = groupName(size.viewers);
    const subjects = servers
      .filter(({ takes }) => takes(size.viewers))
      .map((server) => subject(server, size));
    const results = await alternate(subjects, context, `fan-out, ${group}`);
    for (const { name } of subjects) rows.push(toRow(group, name, results.get(name) ?? []));
    for (const [name, reason] of missing) {
      rows.push({ group, subject: name, figures: [], skipped: reason });
    }
  }
  if (context.scale !== 'small') rows.push(...(await runPeerWorkers(context, text, sizes.at(-2))));
  return {
    settings: {
      ...Object.fromEntries(
        sizes.map(({ viewers, bytes }) => [`MiB to ${String(viewers)}`, bytes / MIB]),
      ),
      runs: context.runs,
    },
    rows,
    ratios: [
      ...sizes.flatMap(({ viewers }) => ratios(rows, viewers)),
      ...WORKERS.slice(1).flatMap((count) =>
        compare(rows, {
          group: workersGroup(sizes.at(-2)),
          ours: workersName(count),
          base: workersName(1),
          against: 'ours',
        }),
      ),
    ],
    notes: [
      'MB/s of all viewers together; each has a connection of its own; all viewers are in one process that reads headers only',
      'missed: dropped by dtach for viewers that are slow at the moment; stated as gaps by holdfast, whose default pace waits for the quickest and those who keep up',
      `${TMUX} has a process for each viewer, whose CPU is that of the client; it prints a twelfth of the others, and is not measured with 256`,
      'the original’s design in Go had about 160 MB/s with 64 viewers over TCP on a machine like the one that the goals were set on',
    ],
    plots: ['MB/s'],
  };
}

async function prepareServers(
  context: CaseContext,
  text: string,
): Promise<{ readonly servers: Server[]; readonly missing: (readonly [string, string])[] }> {
  const viewers = new Program<ViewersMethods>(VIEWERS);
  context.defer(() => viewers.stop());
  const agent = await startBenchAgent(context, { terminals: 'workers' });
  const main = await startBenchAgent(context, { terminals: 'main' });
  const servers: Server[] = [
    holdfast(context, HOLDFAST, agent, viewers, text),
    holdfast(context, MAIN, main, viewers, text),
  ];
  // Only what is held to baselines.
  if (context.scale === 'small') return { servers, missing: [] };
  servers.push(holdfast(context, SLOWEST, agent, viewers, text, 'slowest'));
  const others: readonly (Server & { readonly missing: string | undefined })[] = [
    {
      missing: missingTools('abduco'),
      ...otherServer(context, ABDUCO, viewers, text, 1, async (socket, command) => {
        const { pid, stop } = await startAbduco(socket, command);
        return { pid, stop, spec: { kind: 'abduco', socket } };
      }),
    },
    {
      missing: missingTools('dtach'),
      ...otherServer(context, DTACH, viewers, text, 1, async (socket, command) => {
        const { pid, stop } = await startDtach(socket, command);
        return { pid, stop, spec: { kind: 'dtach', socket } };
      }),
    },
    {
      missing: missingTools('tmux'),
      ...otherServer(context, TMUX, viewers, text, 1 / 12, async (socket, command) => {
        const { pid, stop, args } = startTmux(socket, command);
        return { pid, stop, spec: { kind: 'tmux-control', args: [...args, '-C', 'attach'] } };
      }),
      takes: (viewers) => viewers <= 64,
    },
  ];
  return {
    servers: [...servers, ...others.filter(({ missing }) => missing === undefined)],
    missing: others.flatMap(({ name, missing }) =>
      missing === undefined ? [] : [[name, missing]],
    ),
  };
}

function holdfast(
  { scratch }: CaseContext,
  name: string,
  agent: BenchAgent,
  viewers: Program<ViewersMethods>,
  text: string,
  pace?: 'slowest',
): Server {
  return {
    name,
    // Another pace shows where viewers are many and still read at all; with more of them it only takes time.
    takes: (count) => pace === undefined || count <= 64,
    measure: async (size) => {
      const program = await holdProgram(scratch, producer(text, size), { stays: true });
      try {
        await viewers.call('start', {
          ...{ socket: agent.socket, viewers: size.viewers, typists: 'all' },
          commands: [program.command],
          ...(pace === undefined ? {} : { settings: { pace } }),
        });
        await agent.program.call('watchLoop', {});
        const measured = await flow(size, agent.program.pid, viewers, () => program.go());
        const { defects } = await viewers.call('figures', {});
        if (defects > 0) throw new Error(`${name}: ${String(defects)} holes that nobody stated`);
        return { ...measured, loop: await agent.program.call('loopDelay', {}) };
      } finally {
        await viewers.call('stop', {});
        await program.dispose();
      }
    },
  };
}

function otherServer(
  { scratch }: CaseContext,
  name: string,
  viewers: Program<ViewersMethods>,
  text: string,
  /** Of what the others print: a slow one would take minutes. */
  share: number,
  start: (
    socket: string,
    command: readonly string[],
  ) => Promise<{
    readonly pid: number;
    readonly spec: OtherViewers;
    stop(): Promise<void> | void;
  }>,
): Server {
  let count = 0;
  return {
    name,
    takes: () => true,
    measure: async (given) => {
      count += 1;
      const size = {
        ...given,
        bytes: Math.max(MIB, Math.round((given.bytes * share) / MIB) * MIB),
      };
      const program = await holdProgram(scratch, producer(text, size), { stays: true });
      const socket = path.join(scratch, `${name.slice(0, 1)}${String(count)}`);
      const server = await start(socket, program.command);
      try {
        await viewers.call('startOthers', { viewers: size.viewers, spec: server.spec });
        return {
          ...(await flow(size, server.pid, viewers, () => program.go())),
          loop: undefined,
        };
      } finally {
        await viewers.call('stop', {});
        await server.stop();
        await program.dispose();
      }
    },
  };
}

/** Lets the producer go and waits until every viewer has had all of it. */
async function flow(
  { viewers: count, bytes }: Size,
  server: number,
  viewers: Program<ViewersMethods>,
  go: () => Promise<void>,
): Promise<Omit<Measured, 'loop'>> {
  let start = 0;
  const { result, ...costs } = await withCosts(
    { server: [server], client: [viewers.pid] },
    async (): Promise<CrowdFigures> => {
      await go();
      start = wallNow();
      return await viewers.call('settled', { bytes });
    },
  );
  const received = Math.max(1, result.received);
  return {
    ...costs,
    bytes: received,
    flowSeconds: Math.max(1, result.lastAt - start) / 1e3,
    missedShare: Math.max(0, 1 - received / (count * bytes)) * 100,
  };
}

function subject({ name, measure }: Server, size: Size): Subject<Measured> {
  return { name, measure: () => measure(size) };
}

async function runPeerWorkers(
  context: CaseContext,
  text: string,
  size: Size | undefined,
): Promise<Row[]> {
  if (size === undefined) return [];
  const viewers = new Program<ViewersMethods>(VIEWERS);
  context.defer(() => viewers.stop());
  const subjects: Subject<Measured>[] = [];
  for (const peerWorkers of WORKERS) {
    const agent = await startBenchAgent(context, {
      terminals: 'workers',
      options: { peerWorkers },
    });
    subjects.push(subject(holdfast(context, workersName(peerWorkers), agent, viewers, text), size));
  }
  const group = workersGroup(size);
  const results = await alternate(subjects, context, `fan-out, ${group}`);
  return subjects.map(({ name }) => toRow(group, name, results.get(name) ?? []));
}

function producer(text: string, { bytes }: Size): string {
  return `cat ${Array.from({ length: bytes / MIB }, () => text).join(' ')}`;
}

function toRow(group: string, name: string, runs: readonly Measured[]): Row {
  const figure = (
    title: string,
    unit: string,
    read: (run: Measured) => number | undefined,
  ): Figure[] => {
    const samples = runs.map(read).filter((sample) => sample !== undefined);
    return samples.length === 0 ? [] : [{ name: title, unit, samples }];
  };
  return {
    group,
    subject: name,
    figures: [
      ...flowFigures(runs),
      ...figure('missed', '%', ({ missedShare }) => missedShare),
      ...figure('loop delay p99', 'ms', ({ loop }) => loop?.p99),
    ],
  };
}

function ratios(rows: readonly Row[], viewers: number): Ratio[] {
  const group = groupName(viewers);
  const isGoal = viewers === 64;
  return [
    ...compare(rows, {
      ...{ group, ours: HOLDFAST, base: MAIN, against: 'ours' },
      goal: isGoal ? { min: 1 } : undefined,
    }),
    ...compare(rows, {
      ...{ group, ours: HOLDFAST, base: MAIN, against: 'ours', figure: 'server CPU s/GB' },
      goal: isGoal ? { max: 1.2 } : undefined,
    }),
    ...compare(rows, {
      ...{ group, ours: HOLDFAST, base: MAIN, against: 'ours', figure: 'loop delay p99 ms' },
      goal: isGoal ? { max: 0.2 } : undefined,
    }),
    ...[ABDUCO, DTACH, TMUX].flatMap((base) =>
      compare(rows, { group, ours: HOLDFAST, base, against: 'others' }),
    ),
    ...compare(rows, {
      ...{ group, ours: HOLDFAST, base: ABDUCO, against: 'others', figure: 'server CPU s/GB' },
    }),
  ];
}

function groupName(viewers: number): string {
  return viewers === 1 ? '1 viewer' : `${String(viewers)} viewers`;
}

function workersName(count: number): string {
  return count === 1 ? '1 peer worker' : `${String(count)} peer workers`;
}

function workersGroup(size: Size | undefined): string {
  return `${groupName(size?.viewers ?? 0)}, by threads`;
}
