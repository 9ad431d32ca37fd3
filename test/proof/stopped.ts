/**
 * `npm run proof:stopped -- [--seconds N] [--pace fastest|slowest]`: one terminal under `holdfast up` floods
 * three viewers that may type, each by WebRTC on a connection of its own. After a third of the time one of
 * them stops reading; at the end it reads on. Prints each second the agent's memory and what each viewer
 * got, and the rates of the other two before and after the stop.
 *
 * Status 1 if a byte differs, a hole is not stated, the two that read stand still, or bytes are missing that
 * should not be. With `fastest`, the default, the PTY waits for whoever is quickest at the moment: the
 * others may lose bytes, but none may be lost to all. With `slowest` the two that read may lose none; they
 * wait for the third until it does not count any more.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { limits, type TerminalId } from '../../src/shared/common/index.js';
import type { Pace } from '../../src/shared/common/wire/index.js';
import { connect, keepConnected } from '../support/e2e.js';
import { floodCommand, floodPattern, FloodViewer } from '../support/flood-viewer.js';
import { tempDir, waitFor } from '../support/index.js';
import { childOf, startUp } from '../support/up.js';

const ID = 'flood' as TerminalId;
const NAMES = ['fast 1', 'fast 2', 'stopped'] as const;
/** So many of them, from the first, read all the time. */
const FAST = 2;

interface Range {
  readonly from: number;
  readonly to: number;
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    pace: { type: 'string', default: 'fastest' },
  },
});
const pace: Pace = values.pace === 'slowest' ? 'slowest' : 'fastest';
/** Seconds in which the two that read may get nothing: until a viewer that stopped is not waited for. */
const patience = pace === 'slowest' ? Math.ceil(limits.VIEWER_COUNTS_MS / 1_000) + 1 : 0;
const seconds = Math.max(12, Number(values.seconds));
const stopAfter = Math.round(seconds / 3);
const hooks: (() => unknown)[] = [];
const up = await startUp({ after: (hook: unknown) => hooks.push(hook as () => unknown) });
const agent = childOf(up.ready.pid, 'agent-child');
const pattern = floodPattern();
const file = join(tempDir(), 'pattern');
writeFileSync(file, pattern);

const viewers: FloodViewer[] = [];
const links = NAMES.map(() => keepConnected(() => connect(up)));
for (const link of links) {
  const viewer = new FloodViewer(link, { id: ID, pattern, pace });
  await viewer.watcher.attached();
  viewers.push(viewer);
}
const [first, , third] = viewers as [FloodViewer, FloodViewer, FloodViewer];
const idleMiB = pssMiB();
first.watcher.type(floodCommand(file));
await waitFor(() => viewers.every(({ start }) => start !== undefined), { what: 'the flood' });

console.log(`s    PSS MiB  ${NAMES.map((name) => `${name} MB/s (gaps)`).join('  ')}`);
const memory: number[] = [];
const before = await sample(stopAfter);
third.watcher.pause();
console.log('     the third viewer stops reading');
const atStop = third.watcher.received;
const after = await sample(seconds - stopAfter);
const heldBack = third.watcher.received - atStop;
third.watcher.resume();
const resumedAt = third.watcher.received;
await waitFor(() => third.watcher.received > resumedAt + 1_000_000, {
  what: 'the third viewer to go on',
  timeoutMs: 60_000,
});
await (await links[0]?.get())?.kill(ID);
await Promise.all(viewers.map(({ watcher }) => watcher.exited));

const gaps = viewers.map(({ watcher }): readonly Range[] => watcher.gaps);
const missing =
  pace === 'slowest'
    ? gaps.slice(0, FAST).flat()
    : gaps.reduce((common, ofOne) => overlap(common, ofOne));
const failures = [
  ...viewers.flatMap((viewer, index) =>
    viewer.failures.map((failure) => `${NAMES[index] ?? ''}: ${failure}`),
  ),
  ...after.flatMap(({ stalls }, index) =>
    index < FAST && stalls > patience
      ? [`${NAMES[index] ?? ''}: ${String(stalls)} s without a byte`]
      : [],
  ),
  ...(missing.length > 0 ? [`${String(size(missing))} bytes that should not be missing`] : []),
];
console.log(`\nviewer    before MB/s  after MB/s  bytes checked  gaps  bytes missed`);
for (const [index, { watcher, checked }] of viewers.entries()) {
  const cells = [
    (before[index]?.rate ?? 0).toFixed(1).padStart(11),
    (after[index]?.rate ?? 0).toFixed(1).padStart(10),
    String(checked).padStart(13),
    String(watcher.gaps.length).padStart(4),
    String(size(watcher.gaps)).padStart(12),
  ];
  console.log((NAMES[index] ?? '').padEnd(9), cells.join('  '));
}
const atStopMiB = memory[stopAfter - 1] ?? Number.NaN;
console.log(
  `agent PSS MiB: idle ${idleMiB.toFixed(1)}, at the stop ${atStopMiB.toFixed(1)}, at the end ${(memory.at(-1) ?? Number.NaN).toFixed(1)}, most ${Math.max(...memory).toFixed(1)}`,
);
console.log(`sent to the third viewer after it stopped: ${String(heldBack)} bytes`);
for (const failure of failures) console.log('failed:', failure);
if (failures.length > 0) process.exitCode = 1;

for (const { watcher } of viewers) await watcher.client.close();
for (const link of links) await link.close();
for (const hook of hooks) await hook();

/** Prints a line each second; returns what each viewer got on average, and in how many seconds nothing. */
async function sample(count: number): Promise<{ rate: number; stalls: number }[]> {
  const begin = { at: performance.now(), bytes: viewers.map(({ watcher }) => watcher.received) };
  const stalls = viewers.map(() => 0);
  let last = begin;
  for (let passed = 0; passed < count; passed += 1) {
    await sleep(1_000);
    const now = { at: performance.now(), bytes: viewers.map(({ watcher }) => watcher.received) };
    const rates = ratesOf(last, now);
    for (const [index, rate] of rates.entries()) {
      if (rate === 0) stalls[index] = (stalls[index] ?? 0) + 1;
    }
    memory.push(pssMiB());
    const cells = viewers.map(({ watcher }, index) =>
      `${(rates[index] ?? 0).toFixed(1)} (${String(watcher.gaps.length)})`.padStart(18),
    );
    console.log(
      `${String(memory.length).padEnd(4)} ${(memory.at(-1) ?? 0).toFixed(1).padStart(7)}  ${cells.join('  ')}`,
    );
    last = now;
  }
  return ratesOf(begin, last).map((rate, index) => ({ rate, stalls: stalls[index] ?? 0 }));
}

interface Sample {
  readonly at: number;
  readonly bytes: readonly number[];
}

/** MB/s of each viewer from one moment to another. */
function ratesOf(from: Sample, to: Sample): number[] {
  return to.bytes.map(
    (bytes, index) => (bytes - (from.bytes[index] ?? 0)) / (to.at - from.at) / 1e3,
  );
}

/** Memory of the agent with all its threads; what it shares counts in part. The shells do not count. */
function pssMiB(): number {
  const text = readFileSync(`/proc/${String(agent)}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]) / 1_024;
}

/** What lies in a range of both lists. */
function overlap(a: readonly Range[], b: readonly Range[]): Range[] {
  return a
    .flatMap((x) => b.map((y) => ({ from: Math.max(x.from, y.from), to: Math.min(x.to, y.to) })))
    .filter(({ from, to }) => from < to);
}

function size(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}
