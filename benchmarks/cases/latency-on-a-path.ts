import { setTimeout as sleep } from 'node:timers/promises';
import {
  atScale,
  compare,
  drawSeed,
  ENGINES,
  missingEngine,
  packageVersion,
  Program,
  quantile,
  shuffled,
  SignalProxy,
  UdpRelay,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Engine,
  type Figure,
  type Path,
  type Row,
} from '../harness/index.js';
import type { PairMethods } from '../programs/pair-child.js';
import type { PairKind } from '../programs/pairs/index.js';
import type { PeersMethods } from '../programs/peers-child.js';
import { startWorkspace, type BenchWorkspace } from '../servers/index.js';
import { connectPair } from './connect-pair.js';

const PEERS = new URL('../programs/peers-child.js', import.meta.url);
const PAIR = new URL('../programs/pair-child.js', import.meta.url);
const KEY_INTERVAL_MS = 50;
/** For a handshake or the last key beyond its time. */
const PATIENCE_MS = 15_000;
const CLOSE_MS = 1_000;
const ROUND_TRIPS = [0, 50, 150];
const LOSSES = [0, 0.01, 0.05];

/** How long a key takes to come back over a network that is far away or loses packets. */
export const latencyOnAPath: BenchCase = {
  name: 'latency-on-a-path',
  summary:
    'W6: keystroke echo over WebRTC with a round trip of 0, 50 and 150 ms and 0, 1 and 5 % loss, both engines; beside a bare data channel',
  minutes: 12,
  run: runLatency,
};

/** A place that echoes, reached over one path, in a process of its own. */
interface Probe {
  readonly subject: string;
  open(path: Path): Promise<{
    echo(keys: number): Promise<readonly number[]>;
    close(): Promise<void>;
  }>;
}

async function runLatency(context: CaseContext): Promise<CaseResult> {
  const keys = atScale(context, { tiny: 10, normal: 120 });
  const roundTrips = atScale(context, { tiny: [50], normal: ROUND_TRIPS });
  const losses = atScale(context, { tiny: [0, 0.05], normal: LOSSES });
  const relay = UdpRelay.start(context.scratch);
  if (typeof relay === 'string') {
    const rows = [{ group: 'all', subject: 'all', figures: [], skipped: relay }];
    return { settings: {}, rows, ratios: [], notes: [] };
  }
  context.defer(() => relay.stop());
  const { probes, skipped } = await prepareProbes(context, relay);
  const results = new Map<string, number[][]>();
  const failures = new Map<string, number>();
  const key = (group: string, subject: string): string => `${group}\n${subject}`;
  for (let run = 0; run <= context.runs; run += 1) {
    for (const roundTrip of shuffled(roundTrips, context.random)) {
      for (const { subject, open } of shuffled(probes, context.random)) {
        context.progress.show(
          `latency-on-a-path · ${String(roundTrip)} ms · ${subject} · run ${String(run)}/${String(context.runs)}`,
        );
        // All losses at once: keys cost next to nothing, and waiting for them is most of the time.
        await Promise.all(
          losses.map(async (loss) => {
            const seed = drawSeed(context.random);
            const name = key(groupName(roundTrip, loss), subject);
            const latencies = await tryEcho(
              () => open({ delayMs: roundTrip / 2, loss, seed }),
              run === 0 ? 10 : keys,
            );
            if (run === 0) return;
            if (latencies === undefined) failures.set(name, (failures.get(name) ?? 0) + 1);
            else results.set(name, [...(results.get(name) ?? []), [...latencies]]);
          }),
        );
      }
    }
  }
  const groups = roundTrips.flatMap((roundTrip) =>
    losses.map((loss) => ({ roundTrip, loss, group: groupName(roundTrip, loss) })),
  );
  const rows: Row[] = groups.flatMap(({ group, roundTrip }) => [
    ...probes.map(({ subject }) =>
      toRow(
        { group, subject, roundTrip },
        results.get(key(group, subject)) ?? [],
        failures.get(key(group, subject)) ?? 0,
      ),
    ),
    ...skipped.map(([subject, reason]) => ({
      ...{ group, subject },
      figures: [],
      skipped: reason,
    })),
  ]);
  return {
    settings: { keys, 'ms between keys': KEY_INTERVAL_MS, runs: context.runs },
    rows,
    ratios: groups.flatMap(({ group }) =>
      ENGINES.flatMap((engine) =>
        compare(rows, {
          ...{ group, ours: oursOf(engine), base: bareOf(engine), against: 'others' },
          figure: 'p99 ms',
        }),
      ),
    ),
    notes: [
      'the path is a relay in front of both ends, with half of the round trip each way and the loss in each direction',
      'holdfast: a shell’s `cat` in a terminal of an agent; bare: a channel of the package by itself that sends back',
      'beyond the round trip: what is left of a key’s time when the path is taken off; without prediction no key can be shown sooner',
    ],
    plots: ['p99 ms'],
  };
}

async function prepareProbes(
  context: CaseContext,
  relay: UdpRelay,
): Promise<{ readonly probes: Probe[]; readonly skipped: (readonly [string, string])[] }> {
  const probes: Probe[] = [];
  const skipped: [string, string][] = [];
  for (const engine of ENGINES) {
    const missing = await missingEngine(engine);
    if (missing === undefined) {
      const workspace = await startWorkspace(context, { terminals: 'workers', webrtc: engine });
      probes.push(agentProbe(context, relay, engine, workspace));
    } else {
      skipped.push([oursOf(engine), missing]);
    }
    if (packageVersion(engine === 'werift' ? 'werift' : 'node-datachannel') === undefined) {
      skipped.push([bareOf(engine), 'the package is not installed']);
    } else {
      probes.push(bareProbe(context, relay, bareOf(engine)));
    }
  }
  return { probes, skipped };
}

function agentProbe(
  context: CaseContext,
  relay: UdpRelay,
  engine: Engine,
  workspace: BenchWorkspace,
): Probe {
  return {
    subject: oursOf(engine),
    open: async (path) => {
      const proxy = await SignalProxy.start(workspace.signalUrl, relay, () => path);
      const client = new Program<PeersMethods>(PEERS);
      context.defer(() => client.stop());
      await client.call('connect', { path: workspace.path(engine, proxy.url), count: 1 });
      await client.call('prepareEcho', {});
      return {
        echo: (keys) => client.call('echo', { keys, intervalMs: KEY_INTERVAL_MS }),
        close: async () => {
          await client.stop();
          await proxy.stop();
        },
      };
    },
  };
}

function bareProbe(context: CaseContext, relay: UdpRelay, kind: PairKind): Probe {
  return {
    subject: kind,
    open: async (path) => {
      const near = new Program<PairMethods>(PAIR);
      const far = new Program<PairMethods>(PAIR);
      context.defer(() => near.stop());
      context.defer(() => far.stop());
      const link = await relay.link(path);
      await connectPair(kind, { near, far }, link);
      return {
        echo: (keys) => near.call('echo', { keys, intervalMs: KEY_INTERVAL_MS }),
        close: async () => {
          await Promise.all([near.stop(), far.stop()]);
          await link.close();
        },
      };
    },
  };
}

function toRow(
  { group, subject, roundTrip }: Pick<Row, 'group' | 'subject'> & { readonly roundTrip: number },
  runs: readonly number[][],
  failed: number,
): Row {
  const figure = (name: string, q: number, less = 0): Figure => ({
    name,
    unit: 'ms',
    samples: runs.map((latencies) => quantile(latencies, q) - less),
  });
  if (runs.length === 0) {
    return { group, subject, figures: [], skipped: `no echo in any of ${String(failed)} runs` };
  }
  return {
    group,
    subject,
    figures: [
      figure('p50', 0.5),
      figure('p99', 0.99),
      figure('max', 1),
      figure('p50 beyond the round trip', 0.5, roundTrip),
      ...(failed === 0 ? [] : [{ name: 'runs without an echo', unit: '', samples: [failed] }]),
    ],
  };
}

/** Absent: it did not connect in time, or a key never came back, as happens where packets are lost. */
async function tryEcho(
  open: () => ReturnType<Probe['open']>,
  keys: number,
): Promise<readonly number[] | undefined> {
  const late = new AbortController();
  const give = <T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> =>
    Promise.race([
      promise.catch(() => undefined),
      sleep(milliseconds, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
  const opening = open();
  try {
    const probe = await give(opening, PATIENCE_MS);
    if (probe === undefined) return undefined;
    return await give(probe.echo(keys), keys * KEY_INTERVAL_MS + PATIENCE_MS);
  } finally {
    late.abort();
    // What never opens ends with the case.
    const closing = opening.then((probe) => probe.close());
    await Promise.race([closing.catch(() => undefined), sleep(CLOSE_MS)]);
  }
}

function oursOf(engine: Engine): string {
  return `holdfast terminal, ${engine}`;
}

function bareOf(engine: Engine): PairKind {
  return engine === 'werift' ? 'bare werift' : 'bare node-datachannel';
}

function groupName(roundTrip: number, loss: number): string {
  return `round trip ${String(roundTrip)} ms, ${String(loss * 100)} % loss`;
}
