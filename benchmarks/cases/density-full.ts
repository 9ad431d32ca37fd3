import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { atScale, missingTools, pssBytes, type CaseContext, type Row } from '../harness/index.js';
import { startTmux, TmuxCommander } from '../servers/index.js';
import { writeColourText } from './colour-text.js';
import { settle, startPair } from './density-pair.js';

/** So much more than the ring that something was folded into a checkpoint. */
const OUTPUT_BYTES = 256 * 1024;
const GROUP = 'full rings, nobody attached';
/** For emulators that nobody needs to be given back, and for the shells to be quiet. */
const SETTLE_MS = 5_000;
const WARM_UP = 4;
/** W2: as many as fill tmux's history of 2000. */
const LINES = 3_000;

/** What a terminal takes that has printed a lot. */
export async function fullRings(context: CaseContext): Promise<Row[]> {
  const count = atScale(context, { tiny: 5, normal: 100, full: 1_000 });
  const text = path.join(context.scratch, 'full-text');
  writeColourText(text, OUTPUT_BYTES, context.random);
  const ours: number[] = [];
  const theirs: number[] = [];
  const missing = missingTools('tmux');
  for (let run = 1; run <= context.runs; run += 1) {
    context.progress.show(`density · ${GROUP} · run ${String(run)}/${String(context.runs)}`);
    ours.push(await measureHoldfast(context, count, text));
    if (missing === undefined) theirs.push(await measureTmux(context, count, run));
  }
  const name = 'PSS';
  const unit = 'KiB each';
  return [
    {
      group: GROUP,
      subject: `holdfast, ${String(OUTPUT_BYTES / 1024)} KiB of colour-heavy text`,
      figures: [{ name, unit, samples: ours, goal: { max: 100 } }],
    },
    {
      group: GROUP,
      subject: `tmux, ${String(LINES)} lines of plain text, of which it keeps 2000`,
      figures: theirs.length === 0 ? [] : [{ name, unit, samples: theirs }],
      skipped: missing,
    },
  ];
}

async function measureHoldfast(context: CaseContext, count: number, text: string): Promise<number> {
  const { agent, client, stop } = await startPair(context);
  try {
    const fill = async (terminals: number): Promise<void> => {
      for (let made = 0; made < terminals; made += 1) {
        await client.call('fill', { bytes: OUTPUT_BYTES, producer: `cat ${text}` });
      }
    };
    // The first ones load code that all share, and make the emulators of the pool.
    await fill(WARM_UP);
    await settle(context, SETTLE_MS);
    const base = pssBytes(agent.program.pid);
    await fill(count);
    await settle(context, SETTLE_MS);
    return (pssBytes(agent.program.pid) - base) / count / 1024;
  } finally {
    await stop();
  }
}

async function measureTmux(context: CaseContext, count: number, run: number): Promise<number> {
  const { scratch } = context;
  const file = path.join(scratch, 'lines');
  writeFileSync(file, `a line of plain text that is as long as most of them are\n`.repeat(LINES));
  const server = startTmux(path.join(scratch, `full-${String(run)}`));
  const commander = new TmuxCommander(server.args);
  const fill = async (terminals: number): Promise<void> => {
    for (let made = 0; made < terminals; made += 1) {
      await commander.run(`new-session -d -x 80 -y 24 "cat ${file}; exec cat"`);
    }
  };
  try {
    await fill(WARM_UP);
    await settle(context, SETTLE_MS);
    const base = pssBytes(server.pid);
    await fill(count);
    await settle(context, SETTLE_MS);
    return (pssBytes(server.pid) - base) / count / 1024;
  } finally {
    await commander.stop();
    server.stop();
  }
}
