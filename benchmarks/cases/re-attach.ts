import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  alternate,
  atScale,
  compare,
  ENGINES,
  missingEngine,
  Program,
  quantile,
  treeCpuSeconds,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Goal,
  type Row,
  type Subject,
} from '../harness/index.js';
import type { AgentPath } from '../programs/agent-path.js';
import type { AttachMethods } from '../programs/attach-child.js';
import { startWorkspace, type BenchWorkspace } from '../servers/index.js';

const PROGRAM = new URL('../programs/attach-child.js', import.meta.url);
const RING_BYTES = 64 * 1024;
/** An agent takes 200 channels of one connection in a second. */
const INTERVAL_MS = 8;
const OPEN = 'on an open connection';
const FRESH = 'with a new connection';
const LOCAL = 'local socket';
const FULL_SCREEN = 'full-screen program, on an open connection';

/** How long a viewer waits that comes back to a terminal. */
export const reAttach: BenchCase = {
  name: 're-attach',
  summary:
    'W9: attach to a terminal whose 64 KiB ring is full, until the last byte: on open and new connections, local and by WebRTC; the cost of a snapshot',
  minutes: 2,
  run: runReAttach,
};

interface Way {
  readonly group: string;
  readonly name: string;
  readonly goal?: Goal | undefined;
  /** Of how many attaches a run consists, as a share of all. */
  readonly share: number;
  readonly server: number;
  readonly client: Program<AttachMethods>;
  readonly id: string;
  /** Absent: on the connection that is open. */
  readonly fresh?: AgentPath;
}

interface Measured {
  readonly times: readonly number[];
  readonly cpu: number;
  readonly replayBytes: number;
  readonly snapshotBytes: number;
}

async function runReAttach(context: CaseContext): Promise<CaseResult> {
  const attaches = atScale(context, { tiny: 5, small: 60, normal: 200 });
  const ways: Way[] = [];
  const rows: Row[] = [];
  for (const engine of ENGINES) {
    const missing = await missingEngine(engine);
    const group = `WebRTC, ${engine}`;
    if (missing !== undefined) {
      rows.push({ group, subject: OPEN, figures: [], skipped: missing });
      continue;
    }
    const workspace = await startWorkspace(context, { terminals: 'workers', webrtc: engine });
    if (engine === 'werift') {
      ways.push(...(await waysOf(context, LOCAL, workspace, localPath(workspace), { max: 1 })));
    }
    ways.push(...(await waysOf(context, group, workspace, workspace.path(engine), { max: 2 })));
  }
  const subjects = ways.map(({ group, name, ...way }): Subject<Measured> => ({
    name: `${group}, ${name}`,
    measure: (isWarmUp) => measure(way, Math.ceil(attaches * way.share * (isWarmUp ? 0.3 : 1))),
  }));
  const results = await alternate(subjects, context, 're-attach');
  for (const way of ways) {
    rows.push(toRow(way, results.get(`${way.group}, ${way.name}`) ?? []));
  }
  return {
    settings: { attaches, 'ring bytes': RING_BYTES, runs: context.runs },
    rows,
    ratios: [
      ...compare(rows, {
        ...{ group: LOCAL, ours: FULL_SCREEN, base: OPEN, against: 'ours' },
      }),
    ],
    notes: [
      'from the opening of the channel, or of the connection, to the last byte of output that there was when it attached',
      'the full-screen program has printed more than the ring since it took the screen, so a snapshot comes before what the ring has',
      'the original’s design in Go had 0.21 ms over TCP, 1.5 on an open peer and 5.7 on a new one, on a machine like the one that the goals were set on',
    ],
    plots: ['p50 ms'],
  };
}

function localPath({ socket }: BenchWorkspace): AgentPath {
  return { kind: 'local', socket };
}

async function waysOf(
  context: CaseContext,
  group: string,
  workspace: BenchWorkspace,
  fresh: AgentPath,
  goal: Goal,
): Promise<Way[]> {
  const client = new Program<AttachMethods>(PROGRAM);
  context.defer(() => client.stop());
  await client.call('connect', fresh);
  const id = await client.call('fill', { bytes: 4 * RING_BYTES });
  const common = { group, server: workspace.program.pid, client, id };
  const ways: Way[] = [
    { ...common, name: OPEN, goal, share: 1 },
    // Each is a handshake of its own.
    { ...common, name: FRESH, share: fresh.kind === 'local' ? 1 : 0.1, fresh },
  ];
  if (fresh.kind === 'local') {
    const file = path.join(context.scratch, 'full-screen');
    const bytes = writeFullScreen(file, context.random);
    const screen = await client.call('fill', { bytes, producer: `cat ${file}` });
    ways.push({ ...common, id: screen, name: FULL_SCREEN, share: 1 });
  }
  return ways;
}

/** What an editor or a monitor prints: it takes the screen once, and then only ever draws over it. */
function writeFullScreen(file: string, random: () => number): number {
  const pieces = ['\u001b[?1049h\u001b[2J'];
  let length = 0;
  while (length < 4 * RING_BYTES) {
    const row = 1 + Math.floor(random() * 24);
    const colour = 31 + Math.floor(random() * 7);
    const text = random().toString(36).repeat(6).slice(0, 60);
    const piece = `\u001b[${String(row)};3H\u001b[${String(colour)}m${text}\u001b[0m`;
    pieces.push(piece);
    length += piece.length;
  }
  const text = pieces.join('');
  writeFileSync(file, text);
  return text.length;
}

async function measure(
  { client, server, id, fresh }: Omit<Way, 'group' | 'name'>,
  attaches: number,
): Promise<Measured> {
  const times: number[] = [];
  let [replayBytes, snapshotBytes] = [0, 0];
  const before = treeCpuSeconds([server]);
  const start = performance.now();
  for (let made = 0; made < attaches; made += 1) {
    await sleep(Math.max(0, start + made * INTERVAL_MS - performance.now()));
    const result = await client.call(
      'reattach',
      fresh === undefined ? { id } : { id, path: fresh },
    );
    ({ replayBytes, snapshotBytes } = result);
    // Some more than the ring: what leads to the first byte of it that a screen can begin at.
    if (replayBytes < RING_BYTES) throw new Error(`the replay had ${String(replayBytes)} bytes`);
    times.push(result.replayedMs);
  }
  const cpu = ((treeCpuSeconds([server]) - before) * 1e3) / attaches;
  return { times, cpu, replayBytes, snapshotBytes };
}

function toRow({ group, name, goal }: Way, runs: readonly Measured[]): Row {
  const percentile = (q: number): number[] => runs.map(({ times }) => quantile(times, q));
  return {
    group,
    subject: name,
    figures: [
      { name: 'p50', unit: 'ms', samples: percentile(0.5), goal },
      { name: 'p95', unit: 'ms', samples: percentile(0.95) },
      { name: 'p99', unit: 'ms', samples: percentile(0.99) },
      { name: 'agent CPU', unit: 'ms each', samples: runs.map(({ cpu }) => cpu) },
      { name: 'sent', unit: 'KiB', samples: runs.map(({ replayBytes }) => replayBytes / 1024) },
      {
        name: 'snapshot',
        unit: 'KiB',
        samples: runs.map(({ snapshotBytes }) => snapshotBytes / 1024),
      },
    ],
  };
}
