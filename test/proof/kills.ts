/**
 * `npm run proof:kills -- [--runs N]`: N clients of a running `holdfast up`, by WebRTC, each killed
 * at a random moment of an exec, a PTY, a copy either way or a forward either way, four at a time. Prints how
 * long what they ran lived on, and what the agent holds before and after. Status 1 if anything is left.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { percentile } from '../support/exit-runs.js';
import {
  heldBy,
  KILLED_AT,
  KILLS,
  killRun,
  openKillBench,
  type Held,
  type KillRun,
} from '../support/kill-run.js';
import { heapRoom, reportOptions } from '../support/heap-room.js';
import { seededRandom, tempDir } from '../support/index.js';
import { childOf, startUp } from '../support/up.js';

const TOGETHER = 4;
/**
 * The first runs make the agent load and grow what it keeps anyway: code that is compiled once it is hot, and heaps and
 * arenas of all its threads. Of 1,000 runs after 24, each 200 added 9, 7, 3, -1 and 3 MiB.
 */
const WARM_UP = 100;
/** Until a peer that nobody closed is given up, with room. */
const SETTLE_MS = 90_000;
/** What the collectors have not looked at yet; a connection with its windows holds more than 1/6 MiB. */
const MEMORY_BYTES = 32 * 1024 * 1024;

const { values } = parseArgs({ options: { runs: { type: 'string', default: '200' } } });
const count = Number(values.runs);
const random = seededRandom();
const hooks: (() => unknown)[] = [];
const reports = tempDir();
const up = await startUp(
  { after: (hook: unknown) => hooks.push(hook as () => unknown) },
  { wrap: ['env', `NODE_OPTIONS=${reportOptions(reports)}`] },
);
const agent = childOf(up.ready.pid, 'agent-child');
const bench = await openKillBench(up);

await many(WARM_UP);
const before = await settled();
const roomBefore = await heapRoom(agent, reports);
const runs = await many(count);
const after = await settled(before);
const roomAfter = await heapRoom(agent, reports);
bench.echo.close();
for (const hook of hooks) await hook();

console.log('killed at        the end is   runs   begun   gone after p50     p99     max (ms)');
for (const at of KILLED_AT) {
  for (const kill of KILLS) {
    const some = runs.filter((run) => run.at === at && run.kill === kill);
    const begun = some.filter(({ hadBegun }) => hadBegun);
    const times = begun.map(({ goneMs }) => goneMs);
    const figures = [percentile(times, 0.5), percentile(times, 0.99), Math.max(0, ...times)];
    console.log(
      `${at.padEnd(16)} ${(kill === 'client' ? 'told' : 'not told').padEnd(10)} ` +
        `${String(some.length).padStart(5)} ${String(begun.length).padStart(7)}       ` +
        figures.map((ms) => ms.toFixed(0).padStart(9)).join(''),
    );
  }
}
console.log('\nthe agent holds   before   after');
for (const what of ['descriptors', 'listeners', 'threads', 'children'] as const) {
  report(what, before[what], after[what], after[what] > before[what]);
}
if (after.descriptors > before.descriptors) {
  const known = [...before.targets];
  for (const target of after.targets) {
    const at = known.indexOf(target);
    if (at < 0) console.log(`  more than before: ${target}`);
    else known.splice(at, 1);
  }
}
const [used, usedAfter] = [before.pssBytes - roomBefore, after.pssBytes - roomAfter];
report('memory, MiB', mib(used), mib(usedAfter), usedAfter - used > MEMORY_BYTES);
console.log(
  `  free in the heaps${String(mib(roomBefore)).padStart(7)}${String(mib(roomAfter)).padStart(8)}`,
);

function report(what: string, first: number, last: number, isLeft: boolean): void {
  const verdict = isLeft ? '   LEFT BEHIND' : '';
  console.log(
    `${what.padEnd(15)} ${String(first).padStart(8)} ${String(last).padStart(7)}${verdict}`,
  );
  if (isLeft) process.exitCode = 1;
}

function mib(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

async function many(total: number): Promise<KillRun[]> {
  const done: KillRun[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < total) {
      const run = next;
      next += 1;
      done.push(await killRun(bench, run, random));
      if (done.length % 50 === 0) console.error(`${String(done.length)} of ${String(total)} runs`);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, lane));
  return done;
}

/** What the agent holds once it holds no more than `goal`, or nothing is given back any more. */
async function settled(goal?: Held): Promise<Held> {
  const deadline = performance.now() + SETTLE_MS;
  let held = heldBy(agent);
  let stable = 0;
  while (performance.now() < deadline) {
    await sleep(1_000);
    const now = heldBy(agent);
    const isSame = now.descriptors === held.descriptors && now.threads === held.threads;
    stable = isSame ? stable + 1 : 0;
    held = now;
    const isBack = goal === undefined ? stable >= 30 : held.descriptors <= goal.descriptors;
    if (isBack && held.children <= (goal?.children ?? held.children)) break;
  }
  return held;
}
