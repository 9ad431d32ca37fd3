/**
 * `npm run proof:exit -- [--runs N]`: N commands over `ssh -tt` and N over `terminal` channels, all by
 * WebRTC to an agent under `holdfast up`, with sizes up to 3,000,000 bytes, every fifth with a paused
 * reader and every fifth under load. Prints how many were short, which must be none, and how long the exit
 * took after the last byte. Status 1 if one was short.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connect, keepConnected } from '../support/e2e.js';
import {
  endShared,
  exitSize,
  isShort,
  percentile,
  sshExitRun,
  startLoad,
  terminalExitRun,
  type ExitRun,
} from '../support/exit-runs.js';
import { seededRandom, tempDir } from '../support/index.js';
import { startUp } from '../support/up.js';

/** Runs on one connection before the next one is opened. */
const PER_CONNECTION = 25;

const { values } = parseArgs({ options: { runs: { type: 'string', default: '300' } } });
const count = Number(values.runs);
const random = seededRandom();
const hooks: (() => unknown)[] = [];
const up = await startUp({ after: (hook: unknown) => hooks.push(hook as () => unknown) });
const kinds: [string, ExitRun[]][] = [
  ['ssh -tt', await overSsh()],
  ['terminal', await overTerminals()],
];
for (const hook of hooks) await hook();
console.log('what        runs  short  bytes        end to exit p50    p99    worst (ms)');
for (const [name, runs] of kinds) {
  const times = runs.map(({ endToExitMs }) => endToExitMs);
  const bytes = runs.reduce((sum, { expected }) => sum + expected, 0);
  const short = runs.filter(isShort);
  const figures = [percentile(times, 0.5), percentile(times, 0.99), Math.max(...times)];
  console.log(
    [
      name.padEnd(10),
      String(runs.length).padStart(5),
      String(short.length).padStart(6),
      ` ${String(bytes).padEnd(12)}`,
      ...figures.map((ms) => ms.toFixed(1).padStart(10)),
    ].join(' '),
  );
  for (const run of short) console.log('  short:', JSON.stringify(run));
  if (short.length > 0) process.exitCode = 1;
}

async function overSsh(): Promise<ExitRun[]> {
  const runs: ExitRun[] = [];
  for (let first = 0; first < count; first += PER_CONNECTION) {
    const controlPath = join(tempDir(), 'c');
    for (let run = first; run < Math.min(count, first + PER_CONNECTION); run += 1) {
      const endLoad = run % 5 === 4 ? startLoad() : () => undefined;
      runs.push(
        await sshExitRun(up, exitSize(random, run), { paused: run % 5 === 3, controlPath }),
      );
      endLoad();
    }
    await endShared(up, controlPath);
  }
  return runs;
}

async function overTerminals(): Promise<ExitRun[]> {
  const runs: ExitRun[] = [];
  for (let first = 0; first < count; first += PER_CONNECTION) {
    const links = keepConnected(() => connect(up));
    for (let run = first; run < Math.min(count, first + PER_CONNECTION); run += 1) {
      const endLoad = run % 5 === 4 ? startLoad() : () => undefined;
      const id = `exit-${String(run)}`;
      runs.push(await terminalExitRun(links, id, exitSize(random, run), run % 5 === 3));
      endLoad();
    }
    await links.close();
  }
  return runs;
}
