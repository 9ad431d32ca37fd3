/**
 * `npm run test:fidelity [-- --streams N] [--seed N] [--tracker off] [--threads N]`: whoever comes at any byte
 * ends with the screen of a viewer that never left. Exits with 1 if one does not.
 */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { NOT_RESTORED } from '../fidelity/not-restored.js';
import { compareWithTmux } from '../fidelity/tmux-oracle.js';
import { runSuite } from '../fidelity/suite.js';

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '5000' },
    seed: { type: 'string', default: String(randomInt(1, 2 ** 30)) },
    tracker: { type: 'string', default: 'on' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
/** An option that counts something. */
function count(name: 'streams' | 'seed' | 'threads', least: number): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= least) return value;
  console.error(`--${name} takes a whole number from ${String(least)} on`);
  process.exit(2);
}
const seed = count('seed', 1);
const streams = count('streams', 0);
const threads = count('threads', 1);
const tracker = values.tracker !== 'off';

const started = performance.now();
console.log(`seed ${String(seed)} · tracker ${tracker ? 'on' : 'off'}`);
const result = await runSuite({
  streams,
  seed,
  tracker,
  threads,
  sessionAttaches: 100,
  described: 3,
  progress: (done) => {
    if (done % 500 === 0) console.log(`${String(done)} of ${String(streams)} random streams`);
  },
});
console.log('\nsequences of each class:');
for (const [name, number] of Object.entries(result.classes).sort()) {
  console.log(`  ${name.padEnd(30)} ${String(number).padStart(8)}`);
}
console.log('\nrecorded sessions and torture files, screens compared:');
for (const { name, attaches } of result.sessions) {
  console.log(`  ${name.padEnd(30)} ${String(attaches).padStart(8)}`);
}
console.log('\nnot restored, and not in the streams:');
for (const [what, why] of NOT_RESTORED) console.log(`  ${what}: ${why}`);
for (const text of result.described) console.log(`\n${text}`);
const tmux = tracker ? await compareWithTmux(seed) : undefined;
for (const text of tmux?.differences.slice(0, 3) ?? []) console.log(`\n${text}`);
const { plain, emulator } = result.ways;
const differences = result.differences + (tmux?.differences.length ?? 0);
console.log(`\nstreams compared: ${String(result.streams)}`);
console.log(`screens compared: ${String(result.attaches)}`);
console.log(`checkpoints: ${String(plain)} of plain text, ${String(emulator)} by an emulator`);
console.log(`tmux capture-pane: ${tmux?.summary ?? 'not installed'}`);
console.log(`seconds: ${((performance.now() - started) / 1_000).toFixed(0)}`);
console.log(`differences found: ${String(differences)}`);
if (differences > 0) {
  console.log('a random stream again, alone: --streams 1 --seed the seed that is named with it');
}
process.exitCode = differences === 0 ? 0 : 1;
