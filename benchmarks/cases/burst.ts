import { execFileSync } from 'node:child_process';
import { constants, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  atScale,
  compare,
  missingTools,
  processesWith,
  Program,
  quantile,
  shuffled,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Figure,
  type Row,
} from '../harness/index.js';
import type { LoopDelay } from '../programs/agent-child.js';
import type { BurstMethods } from '../programs/burst-child.js';
import type { StartMethods } from '../programs/start-child.js';
import { startSshAgent, startTmux, TmuxCommander } from '../servers/index.js';
import { openProbes, PROBES, type Samples } from './echo-probes.js';

const CREATES = 'creates, as many at a time as are taken';
const EXITS = 'exits, all at once';
const HOLDFAST = 'holdfast';
const BARE = 'bare loop of starts';
const TMUX = 'tmux';
const KEY_INTERVAL_MS = 20;
const QUIET = 4;
const POLL_MS = 5;

/** One burst. */
interface Phase {
  readonly seconds: number;
  /** Of each of them, in ms; absent: only all together are known. */
  readonly times?: readonly number[];
  readonly loop?: LoopDelay;
  readonly echo?: Samples;
}

interface Measured {
  readonly creates: Phase;
  readonly exits: Phase;
}

/** Many terminals that begin and end at the same time. */
export const burst: BenchCase = {
  name: 'burst',
  summary:
    'W16: 1000 terminals created as fast as can be, and ended at once: time, main-loop delay, echo meanwhile; a bare loop of starts, tmux',
  minutes: 4,
  run: runBurst,
};

async function runBurst(context: CaseContext): Promise<CaseResult> {
  const count = atScale(context, { tiny: 20, normal: 1_000 });
  const keys = atScale(context, { tiny: 20, normal: 250 });
  const missing = missingTools('tmux');
  const subjects = [
    { name: HOLDFAST, measure: await holdfast(context, count, keys) },
    { name: BARE, measure: bare(context, count) },
    ...(missing === undefined ? [{ name: TMUX, measure: tmux(context, count) }] : []),
  ];
  const results = new Map<string, Measured[]>(subjects.map(({ name }) => [name, []]));
  // The first run of all is the warm-up.
  for (let run = 0; run <= context.runs; run += 1) {
    for (const { name, measure } of shuffled(subjects, context.random)) {
      context.progress.show(`burst · ${name} · run ${String(run)}/${String(context.runs)}`);
      const measured = await measure(run);
      if (run > 0) results.get(name)?.push(measured);
    }
  }
  const rows: Row[] = subjects.flatMap(({ name }) => {
    const runs = results.get(name) ?? [];
    return [
      { group: CREATES, subject: name, figures: toFigures(runs.map(({ creates }) => creates)) },
      { group: EXITS, subject: name, figures: toFigures(runs.map(({ exits }) => exits)) },
    ];
  });
  if (missing !== undefined) {
    rows.push({ group: CREATES, subject: TMUX, figures: [], skipped: missing });
  }
  return {
    settings: { terminals: count, keys, runs: context.runs },
    rows,
    ratios: [CREATES, EXITS].flatMap((group) =>
      [BARE, TMUX].flatMap((base) =>
        compare(rows, { group, ours: HOLDFAST, base, against: 'others' }),
      ),
    ),
    notes: [
      'each terminal runs a shell that waits for a line, which comes for all of them at once',
      'holdfast: until each has a viewer attached, and until each viewer has been told of the end; tmux: until its server has answered, and has forgotten its session; the bare loop starts shells and waits, on one thread',
      'echo: of keys over SSH and in quiet terminals of the same agent, from the start of the burst on',
    ],
    plots: ['time s', 'main loop delay max ms'],
  };
}

/** A command that waits for a line, and what ends `count` of them: a line for each, which a late one finds as well. */
async function holdAll(
  scratch: string,
  name: string,
  count: number,
): Promise<{
  readonly command: readonly string[];
  release(): Promise<void>;
  dispose(): Promise<void>;
}> {
  const fifo = path.join(scratch, name);
  execFileSync('mkfifo', [fifo]);
  const writer = await open(fifo, constants.O_RDWR);
  return {
    command: ['/bin/sh', '-c', `read -r _ <>${fifo}`],
    release: async () => {
      await writer.write('\n'.repeat(count));
    },
    dispose: async () => {
      await writer.close();
      rmSync(fifo);
    },
  };
}

async function holdfast(
  context: CaseContext,
  count: number,
  keys: number,
): Promise<(run: number) => Promise<Measured>> {
  const agent = await startSshAgent(context, {
    terminals: 'workers',
    options: { maxTerminalsPerSubject: 4_000 },
  });
  const probes = await openProbes(context, agent, { quiet: QUIET });
  const client = new Program<BurstMethods>(new URL('../programs/burst-child.js', import.meta.url));
  context.defer(() => client.stop());
  /** Runs `body` with keys being typed beside it. */
  const beside = async <T>(
    body: () => Promise<T>,
  ): Promise<{
    readonly result: T;
    readonly seconds: number;
    readonly loop: LoopDelay;
    readonly echo: Samples;
  }> => {
    await agent.program.call('watchLoop', {});
    const options = { keys, keyIntervalMs: KEY_INTERVAL_MS };
    const typing = probes.measure(options);
    const start = performance.now();
    const result = await body();
    const seconds = (performance.now() - start) / 1e3;
    const echo = await typing;
    return { result, seconds, echo, loop: await agent.program.call('loopDelay', {}) };
  };
  return async (run) => {
    const held = await holdAll(context.scratch, `burst-${String(run)}`, count);
    await client.call('connect', { socket: agent.socket, count });
    const { result, loop, echo } = await beside(() =>
      client.call('create', { count, command: held.command }),
    );
    const exits = await beside(async () => {
      await held.release();
      await client.call('ended', {});
    });
    await held.dispose();
    await client.call('close', {});
    return { creates: { ...result, loop, echo }, exits };
  };
}

function bare(context: CaseContext, count: number): (run: number) => Promise<Measured> {
  const program = new Program<StartMethods>(new URL('../programs/start-child.js', import.meta.url));
  context.defer(() => program.stop());
  return async (run) => {
    const held = await holdAll(context.scratch, `bare-${String(run)}`, count);
    const creates = await program.call('create', { count, command: held.command });
    const start = performance.now();
    await held.release();
    await program.call('ended', {});
    await held.dispose();
    return { creates, exits: { seconds: (performance.now() - start) / 1e3 } };
  };
}

function tmux(context: CaseContext, count: number): (run: number) => Promise<Measured> {
  return async (run) => {
    const held = await holdAll(context.scratch, `tmux-${String(run)}`, count);
    const server = startTmux(path.join(context.scratch, `bu-${String(run)}`));
    const commander = new TmuxCommander(server.args);
    try {
      const [shell = '', option = '', script = ''] = held.command;
      const command = `new-session -d -x 80 -y 24 "${shell} ${option} '${script}'"`;
      const start = performance.now();
      await Promise.all(Array.from({ length: count }, () => commander.run(command)));
      const created = performance.now();
      await waitUntil(() => processesWith(script).length >= count);
      const released = performance.now();
      await held.release();
      await waitUntil(() => processesWith(script).length === 0);
      await waitUntil(() => server.run('list-sessions').split('\n').length === 1);
      return {
        creates: { seconds: (created - start) / 1e3 },
        exits: { seconds: (performance.now() - released) / 1e3 },
      };
    } finally {
      await commander.stop();
      server.stop();
      await held.dispose();
    }
  };
}

async function waitUntil(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(POLL_MS);
}

function toFigures(phases: readonly Phase[]): Figure[] {
  const figure = (
    name: string,
    unit: string,
    read: (phase: Phase) => number | undefined,
  ): Figure[] => {
    const samples = phases.map(read).filter((sample) => sample !== undefined);
    return samples.length === 0 ? [] : [{ name, unit, samples }];
  };
  const each = (q: number) => (phase: Phase) =>
    phase.times === undefined ? undefined : quantile(phase.times, q);
  const echo = (probe: string, q: number) => (phase: Phase) => {
    const latencies = phase.echo?.get(probe);
    return latencies === undefined ? undefined : quantile(latencies, q);
  };
  return [
    ...figure('time', 's', ({ seconds }) => seconds),
    ...figure('each p50', 'ms', each(0.5)),
    ...figure('each p99', 'ms', each(0.99)),
    ...figure('main loop delay p99', 'ms', ({ loop }) => loop?.p99),
    ...figure('main loop delay max', 'ms', ({ loop }) => loop?.max),
    ...figure('echo by ssh p99', 'ms', echo(PROBES.ssh, 0.99)),
    ...figure('echo in quiet terminals p99', 'ms', echo(PROBES.quiet, 0.99)),
    ...figure('echo of a bare PTY p99', 'ms', echo(PROBES.bare, 0.99)),
  ];
}
