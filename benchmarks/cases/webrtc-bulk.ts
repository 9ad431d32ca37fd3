import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import {
  alternate,
  atScale,
  compare,
  drawSeed,
  ENGINES,
  flowFigures,
  missingEngine,
  packageVersion,
  Program,
  quantile,
  SignalProxy,
  UdpRelay,
  withCosts,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Engine,
  type Figure,
  type Flow,
  type LinkFigures,
  type Path,
  type Ratio,
  type RelayLink,
  type Row,
  type Subject,
} from '../harness/index.js';
import type { PairMethods } from '../programs/pair-child.js';
import type { PairKind } from '../programs/pairs/index.js';
import type { PeersMethods } from '../programs/peers-child.js';
import { startWorkspace, type BenchWorkspace } from '../servers/index.js';
import { connectPair } from './connect-pair.js';

const PAIR = new URL('../programs/pair-child.js', import.meta.url);
const PEERS = new URL('../programs/peers-child.js', import.meta.url);
const KEY_INTERVAL_MS = 20;
/** Until the queues of both ends are as full as they get. */
const RAMP_MS = 500;
const FILE_MIB = 8;
/** What the paths of the internet carry whole, with room for tunnels. */
const PACKET_BYTES = 1_200;
const MIB = 2 ** 20;

/** Packages behind the engines, by themselves. */
const BARE: Readonly<Record<Engine, PairKind>> = {
  werift: 'bare werift',
  native: 'bare node-datachannel',
};

interface Measured extends Flow {
  readonly latencies: readonly number[];
  /** Largest packet on the path. Absent: nobody looked. */
  readonly largest: number | undefined;
}

type Direction = 'down' | 'up';

/** Bulk over data channels, and the keys beside it. */
export const webrtcBulk: BenchCase = {
  name: 'webrtc-bulk',
  summary:
    'MB/s over WebRTC with one and eight peers, both engines and directions, 0, 10 and 25 ms each way, an echo beside it; bare werift and node-datachannel pairs',
  minutes: 9,
  run: runWebrtcBulk,
};

async function runWebrtcBulk(context: CaseContext): Promise<CaseResult> {
  const milliseconds = atScale(context, { tiny: 400, small: 1_000, normal: 2_000 });
  const delays = atScale(context, { tiny: [0, 10], small: [0], normal: [0, 10, 25] });
  const relay = UdpRelay.start(context.scratch);
  if (typeof relay !== 'string') context.defer(() => relay.stop());
  const bench = await prepare(context, milliseconds);
  const rows: Row[] = [];
  for (const delayMs of delays) {
    const group = groupName(delayMs);
    if (typeof relay === 'string' && delayMs > 0) {
      rows.push({ group, subject: 'all', figures: [], skipped: relay });
      continue;
    }
    const way: Way = { delayMs, relay: typeof relay === 'string' ? undefined : relay };
    // Once less where it would say nothing new.
    const directions: Direction[] =
      context.scale === 'small' || delayMs === 10 ? ['down'] : ['down', 'up'];
    const subjects = [
      ...ENGINES.filter(isInstalled).map((engine) => pairSubject(bench, BARE[engine], way)),
      ...bench.engines.flatMap((engine) => [
        pairSubject(bench, `${engine} engine`, way),
        ...directions.map((direction) => agentSubject(bench, engine, direction, 1, way)),
      ]),
    ];
    await measureInto(rows, group, subjects, context);
    rows.push(
      ...bench.skipped.map(([subject, skipped]) => ({
        ...{ group, subject },
        figures: [],
        skipped,
      })),
    );
  }
  if (context.scale !== 'small') {
    const subjects = bench.engines.flatMap((engine) =>
      (['down', 'up'] as const).map((direction) =>
        agentSubject(bench, engine, direction, 8, { delayMs: 0, relay: undefined }),
      ),
    );
    await measureInto(rows, EIGHT, subjects, context);
  }
  return {
    settings: {
      'ms per run': milliseconds,
      'ms between keys': KEY_INTERVAL_MS,
      'peer workers': 2,
      runs: context.runs,
    },
    rows,
    ratios: [...delays.flatMap((delayMs) => delayRatios(rows, delayMs)), ...eightRatios(rows)],
    notes: [
      'pairs: two processes with one connection, the sender being the server; bare: the package alone; engine: Holdfast’s, without an agent',
      `agent: files of ${String(FILE_MIB)} MiB in memory by SFTP over a channel of their own, down from the agent and up to it`,
      'echo: of a key beside the bulk on the same connection; in the pairs a channel that sends back, with an agent a terminal',
      'delays are those of a relay in front of both ends; without one both are on loopback',
      's/GB is also ms of CPU per MB; eight peers: in two client processes',
      'a key that is not echoed within 20 s counts as 20 s, for which such a run lasts: on paths with delay keys beside bare node-datachannel stand still at times',
      `bare node-datachannel is set to packets of at most ${String(PACKET_BYTES)} bytes; by itself it makes larger ones`,
    ],
    plots: ['MB/s', 'echo p99 ms'],
  };
}

/** A path between two ends. */
interface Way {
  /** One way; 0: nothing is between them. */
  readonly delayMs: number;
  readonly relay: UdpRelay | undefined;
}

/** What all subjects share. */
interface Bench {
  readonly context: CaseContext;
  readonly milliseconds: number;
  readonly engines: readonly Engine[];
  readonly skipped: readonly (readonly [subject: string, reason: string])[];
  readonly workspaces: ReadonlyMap<Engine, BenchWorkspace>;
  /** For files of agents. */
  readonly folder: string;
}

async function prepare(context: CaseContext, milliseconds: number): Promise<Bench> {
  const engines: Engine[] = [];
  const skipped: [string, string][] = [];
  const workspaces = new Map<Engine, BenchWorkspace>();
  for (const engine of ENGINES) {
    const missing = await missingEngine(engine);
    if (missing === undefined) {
      engines.push(engine);
      workspaces.set(
        engine,
        await startWorkspace(context, { terminals: 'workers', webrtc: engine }),
      );
    } else {
      skipped.push([`holdfast, ${engine}`, missing]);
    }
    if (!isInstalled(engine)) skipped.push([BARE[engine], 'the package is not installed']);
  }
  const folder = mkdtempSync(path.join('/dev/shm', 'hf-bench-'));
  context.defer(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  for (let peer = 0; peer < 8; peer += 1) {
    for (const direction of ['down', 'up'] as const) writeFile(fileName(folder, direction, peer));
  }
  return { context, milliseconds, engines, skipped, workspaces, folder };
}

function isInstalled(engine: Engine): boolean {
  return packageVersion(engine === 'werift' ? 'werift' : 'node-datachannel') !== undefined;
}

function fileName(folder: string, direction: Direction, peer: number): string {
  return path.join(folder, `${direction}-${String(peer)}`);
}

function writeFile(file: string): void {
  const fd = openSync(file, 'w', 0o600);
  for (let at = 0; at < FILE_MIB; at += 1) writeSync(fd, Buffer.alloc(MIB, 'holdfast'));
  closeSync(fd);
}

async function measureInto(
  rows: Row[],
  group: string,
  subjects: readonly Subject<Measured>[],
  context: CaseContext,
): Promise<void> {
  const results = await alternate(subjects, context, `webrtc-bulk, ${group}`);
  for (const { name } of subjects) rows.push(toRow(group, name, results.get(name) ?? []));
}

/** Two processes and nothing but a connection between them; the one that answers sends. */
function pairSubject(
  { context, milliseconds }: Bench,
  kind: PairKind,
  way: Way,
): Subject<Measured> {
  const receiver = new Program<PairMethods>(PAIR);
  const sender = new Program<PairMethods>(PAIR);
  context.defer(() => receiver.stop());
  context.defer(() => sender.stop());
  const measure = async (isWarmUp: boolean): Promise<Measured> => {
    const link = await linkOf(way, context.random);
    try {
      await connectPair(kind, { near: receiver, far: sender }, link);
      await sender.call('startSending', {});
      await new Promise((resolve) => setTimeout(resolve, RAMP_MS));
      const { result, ...costs } = await withCosts(
        { server: [sender.pid], client: [receiver.pid] },
        () =>
          receiver.call('receive', {
            milliseconds: isWarmUp ? 200 : milliseconds,
            keyIntervalMs: KEY_INTERVAL_MS,
          }),
      );
      const { bytes, seconds, latencies } = result;
      const largest = largestOf(await link?.figures());
      return { ...costs, bytes, flowSeconds: seconds, latencies, largest };
    } finally {
      await sender.call('stopSending', {});
      await Promise.all([receiver.call('close', {}), sender.call('close', {})]);
      await link?.close();
    }
  };
  return { name: kind.startsWith('bare') ? kind : `holdfast, ${kind}`, measure };
}

/** Clients of an agent: one, or as many as `peers` in two processes. */
function agentSubject(
  { context, milliseconds, workspaces, folder }: Bench,
  engine: Engine,
  direction: Direction,
  peers: number,
  way: Way,
): Subject<Measured> {
  const clients = Array.from(
    { length: peers === 1 ? 1 : 2 },
    () => new Program<PeersMethods>(PEERS),
  );
  for (const client of clients) context.defer(() => client.stop());
  const each = peers / clients.length;
  return {
    name: `holdfast agent, ${engine}, ${direction}`,
    measure: async (isWarmUp) => {
      const workspace = workspaces.get(engine);
      if (workspace === undefined) throw new Error('no workspace');
      const proxy =
        way.relay === undefined || way.delayMs === 0
          ? undefined
          : await SignalProxy.start(workspace.signalUrl, way.relay, () =>
              pathOf(way, context.random),
            );
      try {
        for (const client of clients) {
          await client.call('connect', { path: workspace.path(engine, proxy?.url), count: each });
          await client.call('prepareEcho', {});
        }
        const { result: results, ...costs } = await withCosts(
          { server: [workspace.program.pid], client: clients.map(({ pid }) => pid) },
          () =>
            Promise.all(
              clients.map((client, index) =>
                client.call('move', {
                  direction: direction === 'down' ? 'read' : 'write',
                  files: Array.from({ length: each }, (_, peer) =>
                    fileName(folder, direction, index * each + peer),
                  ),
                  fileBytes: FILE_MIB * MIB,
                  milliseconds: isWarmUp ? 200 : milliseconds,
                  keyIntervalMs: KEY_INTERVAL_MS,
                }),
              ),
            ),
        );
        const bytes = results.reduce((sum, each) => sum + each.bytes, 0);
        const seconds = Math.max(...results.map((each) => each.seconds));
        // What it cost to get going is in the costs: all of it is spread over all that was moved.
        const share = seconds / costs.seconds;
        return {
          ...costs,
          serverCpuSeconds: costs.serverCpuSeconds * share,
          clientCpuSeconds: costs.clientCpuSeconds * share,
          bytes,
          flowSeconds: seconds,
          latencies: results.flatMap(({ latencies }) => latencies),
          largest: largestOf(await proxy?.links.at(-1)?.figures()),
        };
      } finally {
        for (const client of clients) await client.call('close', {});
        await proxy?.stop();
      }
    },
  };
}

async function linkOf(way: Way, random: () => number): Promise<RelayLink | undefined> {
  if (way.relay === undefined || way.delayMs === 0) return undefined;
  return await way.relay.link(pathOf(way, random));
}

function pathOf({ delayMs }: Way, random: () => number): Path {
  return { delayMs, seed: drawSeed(random) };
}

function largestOf(
  figures: { readonly aToB: LinkFigures; readonly bToA: LinkFigures } | undefined,
): number | undefined {
  return figures && Math.max(figures.aToB.largest, figures.bToA.largest);
}

function toRow(group: string, subject: string, runs: readonly Measured[]): Row {
  const echo = (name: string, q: number): Figure => ({
    name,
    unit: 'ms',
    samples: runs.map(({ latencies }) => quantile(latencies, q)),
  });
  const largest = runs.map((run) => run.largest).filter((bytes) => bytes !== undefined);
  const isOurs = subject.startsWith('holdfast');
  return {
    group,
    subject,
    figures: [
      ...flowFigures(runs),
      echo('echo p50', 0.5),
      echo('echo p99', 0.99),
      ...(largest.length === 0
        ? []
        : [
            {
              ...{ name: 'largest packet', unit: 'bytes', samples: largest },
              goal: isOurs ? { max: PACKET_BYTES } : undefined,
            },
          ]),
    ],
  };
}

function delayRatios(rows: readonly Row[], delayMs: number): Ratio[] {
  const group = groupName(delayMs);
  return ENGINES.flatMap((engine) => {
    const base = BARE[engine];
    const isGoal = delayMs === 0;
    return [
      ...compare(rows, {
        ...{ group, ours: `holdfast, ${engine} engine`, base, against: 'others' },
        goal: isGoal ? { min: engine === 'werift' ? 1 : 0.9 } : undefined,
      }),
      ...(['down', 'up'] as const).flatMap((direction) =>
        compare(rows, {
          ...{ group, ours: `holdfast agent, ${engine}, ${direction}`, base, against: 'others' },
        }),
      ),
      ...compare(rows, {
        ...{ group, ours: `holdfast, ${engine} engine`, base, against: 'others' },
        figure: 'echo p99 ms',
      }),
    ];
  });
}

function eightRatios(rows: readonly Row[]): Ratio[] {
  return ENGINES.flatMap((engine) =>
    (['down', 'up'] as const).flatMap((direction) => {
      const subject = `holdfast agent, ${engine}, ${direction}`;
      return compare(rows, {
        ...{ group: EIGHT, ours: subject, base: subject, baseGroup: groupName(0) },
        against: 'ours',
      });
    }),
  );
}

const EIGHT = 'eight peers, direct';

function groupName(delayMs: number): string {
  return delayMs === 0 ? 'one peer, direct' : `one peer, ${String(delayMs)} ms each way`;
}
