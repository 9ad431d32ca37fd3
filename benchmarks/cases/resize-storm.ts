import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  atScale,
  compare,
  Program,
  quantile,
  shuffled,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Figure,
  type Row,
} from '../harness/index.js';
import type { ViewersMethods } from '../programs/viewers-child.js';
import { startSshAgent } from '../servers/index.js';
import { openProbes, PROBES, type Samples } from './echo-probes.js';

const VIEWERS = 3;
const PER_SECOND = 50;
const LAST = { rows: 40, cols: 100 };
const KEY_INTERVAL_MS = 20;
const QUIET = 4;
/** For the last size to reach the program. */
const SETTLE_MS = 1_000;
const START_MS = 10_000;
const STORM = '3 viewers, 50 sizes a second each';
const CALM = 'nobody resizes';
const TERMINAL = 'holdfast, the terminal itself';

/** Viewers that fight over the size of a terminal. */
export const resizeStorm: BenchCase = {
  name: 'resize-storm',
  summary:
    'W14: three viewers that resize one terminal 50 times a second each: signals to its program, the last size, echo elsewhere meanwhile',
  minutes: 2,
  run: runStorm,
};

interface Measured {
  readonly echo: Samples;
  /** Sizes that were asked for; 0 without a storm. */
  readonly asked: number;
  /** SIGWINCH that the program got. */
  readonly signals: number;
  /** The program has the size that was asked for last. */
  readonly isRight: boolean;
}

async function runStorm(context: CaseContext): Promise<CaseResult> {
  const keys = atScale(context, { tiny: 20, normal: 250 });
  const agent = await startSshAgent(context, { terminals: 'workers' });
  const probes = await openProbes(context, agent, { quiet: QUIET });
  const viewers = new Program<ViewersMethods>(
    new URL('../programs/viewers-child.js', import.meta.url),
  );
  context.defer(() => viewers.stop());
  const results = new Map<string, Measured[]>([
    [CALM, []],
    [STORM, []],
  ]);
  for (let run = 0; run <= context.runs; run += 1) {
    for (const group of shuffled([CALM, STORM], context.random)) {
      context.progress.show(`resize-storm · ${group} · run ${String(run)}/${String(context.runs)}`);
      const echoing = { keys, keyIntervalMs: KEY_INTERVAL_MS };
      const measured =
        group === CALM
          ? { echo: await probes.measure(echoing), asked: 0, signals: 0, isRight: true }
          : await storm(context, agent.socket, viewers, keys, () => probes.measure(echoing));
      if (run > 0) results.get(group)?.push(measured);
    }
  }
  const rows = [CALM, STORM].flatMap((group) => toRows(group, results.get(group) ?? []));
  return {
    settings: {
      ...{ viewers: VIEWERS, 'sizes per second and viewer': PER_SECOND, keys },
      runs: context.runs,
    },
    rows,
    ratios: [PROBES.quiet, PROBES.ssh].flatMap((probe) =>
      compare(rows, {
        ...{ group: STORM, baseGroup: CALM, ours: probe, base: probe, figure: 'p99 ms' },
        against: 'ours',
      }),
    ),
    notes: [
      'the program is a shell that counts SIGWINCH, which the kernel merges where it does not get to run in between',
      'other programs are not beside it: their viewers’ sizes are those of terminals, each of which would need a program of its own to resize it',
    ],
    plots: ['p99 ms'],
  };
}

async function storm(
  { scratch }: CaseContext,
  socket: string,
  viewers: Program<ViewersMethods>,
  keys: number,
  echo: () => Promise<Samples>,
): Promise<Measured> {
  const file = path.join(scratch, 'size');
  rmSync(file, { force: true });
  const note = `n=$((n+1)); echo $n $(stty size) >${file}.new; mv ${file}.new ${file}`;
  const script = `n=-1; trap '${note}' WINCH; ${note}; sleep 3600 & while :; do wait $!; done`;
  await viewers.call('start', {
    ...{ socket, viewers: VIEWERS, typists: 'all' },
    commands: [['/bin/sh', '-c', script]],
  });
  const deadline = performance.now() + START_MS;
  while (!existsSync(file) && performance.now() < deadline) await sleep(10);
  const milliseconds = keys * KEY_INTERVAL_MS;
  const before = noted(file);
  const [measured, asked] = await Promise.all([
    echo(),
    viewers.call('resize', { perSecond: PER_SECOND, milliseconds, last: LAST }),
  ]);
  await sleep(SETTLE_MS);
  const after = noted(file);
  await viewers.call('stop', {});
  return {
    ...{ echo: measured, asked, signals: after.signals - before.signals },
    isRight: after.rows === LAST.rows && after.cols === LAST.cols,
  };
}

function noted(file: string): { signals: number; rows: number; cols: number } {
  const [signals = 0, rows = 0, cols = 0] = readFileSync(file, 'utf8').split(' ').map(Number);
  return { signals, rows, cols };
}

function toRows(group: string, runs: readonly Measured[]): Row[] {
  const figure = (name: string, unit: string, read: (run: Measured) => number): Figure => ({
    name,
    unit,
    samples: runs.map(read),
  });
  const rows: Row[] = [PROBES.quiet, PROBES.ssh, PROBES.bare].map((subject) => {
    const at = (q: number) => (run: Measured) => quantile(run.echo.get(subject) ?? [NaN], q);
    return {
      ...{ group, subject },
      figures: [
        figure('p50', 'ms', at(0.5)),
        figure('p99', 'ms', at(0.99)),
        figure('max', 'ms', at(1)),
      ],
    };
  });
  if (group === CALM) return rows;
  return [
    ...rows,
    {
      ...{ group, subject: TERMINAL },
      figures: [
        figure('sizes asked for', '', ({ asked }) => asked),
        figure('signals', '', ({ signals }) => signals),
        { ...figure('last size right', '', ({ isRight }) => Number(isRight)), goal: { min: 1 } },
      ],
    },
  ];
}
