/**
 * `npm run proof:crowd -- [--seconds N] [--viewers N] [--terminals N]`: 1,000 viewers over 20 terminals on one
 * agent, over its unix socket, each terminal printing numbered lines; every 3 s a tenth of the connections is
 * cut. Prints gaps, duplicates and how long catching up took. Status 1 if a line was missed or came twice.
 */
import { parseArgs } from 'node:util';
import { crowdRun } from '../support/crowd-run.js';
import { percentile } from '../support/exit-runs.js';
import { seededRandom } from '../support/index.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    viewers: { type: 'string', default: '1000' },
    terminals: { type: 'string', default: '20' },
  },
});
const terminals = Number(values.terminals);
const run = await crowdRun({
  terminals,
  connections: Math.max(1, Math.round(Number(values.viewers) / terminals)),
  seconds: Number(values.seconds),
  cutEveryMs: 3_000,
  random: seededRandom(),
});
const ms = (share: number): string => percentile(run.catchUpMs, share).toFixed(0);
console.log(`viewers ${String(run.viewers)} of ${String(terminals)} terminals`);
console.log(`drops ${String(run.drops)}, lines read ${String(run.lines)}`);
console.log(
  `gaps ${String(run.missing)} (stated ${String(run.statedGaps)}), duplicates ${String(run.duplicates)}`,
);
console.log(`catch-up ms: p50 ${ms(0.5)}, p95 ${ms(0.95)}, worst ${ms(1)}`);
if (run.missing + run.duplicates + run.statedGaps > 0 || run.drops === 0) process.exitCode = 1;
