import path from 'node:path';
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  atScale,
  Program,
  pssBytes,
  type BenchCase,
  type CaseContext,
  type CaseResult,
} from '../harness/index.js';
import type { AttachMethods } from '../programs/attach-child.js';
import { startBenchAgent } from '../servers/index.js';
import { writeColourText } from './colour-text.js';

const PROGRAM = new URL('../programs/attach-child.js', import.meta.url);
/** So much more than the ring that something was folded into a checkpoint. */
const OUTPUT_BYTES = 256 * 1024;
/** For emulators that nobody needs to be given back, and for the shells to be quiet. */
const SETTLE_MS = 5_000;
const WARM_UP = 4;

/** What terminals with nobody attached take of the agent's memory. */
export const memory: BenchCase = {
  name: 'memory',
  summary: 'memory of the agent per terminal that nobody is attached to, with a full 64 KiB ring',
  run: runMemory,
};

async function runMemory(context: CaseContext): Promise<CaseResult> {
  const terminals = atScale(context, { tiny: 5, normal: 100 });
  const each: number[] = [];
  const base: number[] = [];
  // Each run on a fresh agent, since memory once taken is not given back.
  for (let run = 1; run <= context.runs; run += 1) {
    context.progress.show(`memory · run ${String(run)}/${String(context.runs)}`);
    const measured = await measure(context, terminals, run);
    base.push(measured.base);
    each.push((measured.full - measured.base) / terminals);
  }
  return {
    settings: { terminals, 'output bytes': OUTPUT_BYTES, runs: context.runs },
    rows: [
      {
        group: 'nobody attached',
        subject: 'holdfast terminal, full ring',
        figures: [
          {
            name: 'PSS',
            unit: 'KiB each',
            samples: each.map((bytes) => bytes / 1024),
            goal: { max: 100 },
          },
          { name: 'base PSS', unit: 'MiB', samples: base.map((bytes) => bytes / 2 ** 20) },
        ],
      },
    ],
    ratios: [],
    notes: [],
  };
}

async function measure(
  context: CaseContext,
  terminals: number,
  run: number,
): Promise<{ readonly base: number; readonly full: number }> {
  const scratch = path.join(context.scratch, String(run));
  mkdirSync(scratch);
  const agent = await startBenchAgent({ ...context, scratch }, { terminals: 'workers' });
  const program = new Program<AttachMethods>(PROGRAM);
  context.defer(() => program.stop());
  try {
    await program.call('connect', { kind: 'local', socket: agent.socket });
    const text = path.join(scratch, 'text');
    writeColourText(text, OUTPUT_BYTES, context.random);
    const fill = async (count: number): Promise<void> => {
      for (let made = 0; made < count; made += 1) {
        await program.call('fill', { bytes: OUTPUT_BYTES, producer: `cat ${text}` });
      }
    };
    // The first ones load code that all share, and make the emulators of the pool.
    await fill(WARM_UP);
    await sleep(SETTLE_MS);
    const base = pssBytes(agent.program.pid);
    await fill(terminals);
    await sleep(SETTLE_MS);
    return { base, full: pssBytes(agent.program.pid) };
  } finally {
    await program.stop();
    await agent.program.stop();
  }
}
