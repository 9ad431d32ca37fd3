import path from 'node:path';
import { mkdirSync } from 'node:fs';
import {
  atScale,
  Program,
  pssBytes,
  quantile,
  treeCpuSeconds,
  type BenchCase,
  type CaseContext,
  type CaseResult,
} from '../harness/index.js';
import type { LoopDelay } from '../programs/agent-child.js';
import type { AttachMethods } from '../programs/attach-child.js';
import { startBenchAgent } from '../servers/index.js';

const PROGRAM = new URL('../programs/attach-child.js', import.meta.url);
/** For the shells to have printed their prompts before memory is read. */
const SETTLE_MS = 1_000;

/** What a terminal costs: time to make one, and memory of the agent while it is there and idle. */
export const create: BenchCase = {
  name: 'create',
  summary: 'time per new terminal, and memory of the agent per idle attached terminal',
  run: runCreate,
};

interface Measured {
  readonly times: readonly number[];
  readonly pssPerTerminal: number;
  readonly basePss: number;
  readonly cpuPerTerminal: number;
  readonly loop: LoopDelay;
}

async function runCreate(context: CaseContext): Promise<CaseResult> {
  const terminals = atScale(context, { tiny: 10, normal: 200 });
  const runs: Measured[] = [];
  // Each run on a fresh agent, since memory once taken is not given back; no warm-up, that is the point.
  for (let run = 1; run <= context.runs; run += 1) {
    context.progress.show(`create · run ${String(run)}/${String(context.runs)}`);
    runs.push(await measure(context, terminals, run));
  }
  const percentile = (q: number): number[] => runs.map(({ times }) => quantile(times, q));
  return {
    settings: { terminals, runs: context.runs },
    rows: [
      {
        group: 'one after the other, /bin/sh',
        subject: 'holdfast terminal',
        figures: [
          { name: 'p50', unit: 'ms', samples: percentile(0.5) },
          { name: 'p95', unit: 'ms', samples: percentile(0.95), goal: { max: 15 } },
          { name: 'max', unit: 'ms', samples: percentile(1) },
          { name: 'CPU', unit: 'ms each', samples: runs.map((run) => run.cpuPerTerminal * 1e3) },
          {
            name: 'PSS',
            unit: 'KiB each',
            samples: runs.map((run) => run.pssPerTerminal / 1024),
            goal: { max: 40 },
          },
          { name: 'base PSS', unit: 'MiB', samples: runs.map((run) => run.basePss / 2 ** 20) },
          { name: 'loop delay max', unit: 'ms', samples: runs.map((run) => run.loop.max) },
        ],
      },
    ],
    ratios: [],
    notes: ['CPU includes the start of the shell'],
  };
}

async function measure(context: CaseContext, terminals: number, run: number): Promise<Measured> {
  const scratch = path.join(context.scratch, String(run));
  mkdirSync(scratch);
  const agent = await startBenchAgent({ ...context, scratch }, { terminals: 'workers' });
  const program = new Program<AttachMethods>(PROGRAM);
  context.defer(() => program.stop());
  try {
    await program.call('connect', { kind: 'local', socket: agent.socket });
    // The first one loads code that all share.
    await program.call('create', { count: 1 });
    await settle();
    const basePss = pssBytes(agent.program.pid);
    const cpuBefore = treeCpuSeconds([agent.program.pid]);
    await agent.program.call('watchLoop', {});
    const times = await program.call('create', { count: terminals });
    const loop = await agent.program.call('loopDelay', {});
    await settle();
    return {
      times,
      loop,
      basePss,
      pssPerTerminal: (pssBytes(agent.program.pid) - basePss) / terminals,
      cpuPerTerminal: (treeCpuSeconds([agent.program.pid]) - cpuBefore) / terminals,
    };
  } finally {
    await program.stop();
    await agent.program.stop();
  }
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
