/**
 * `npm run proof:ctrl-c -- [--runs N] [--seconds N]`: floods a viewer over links of several speeds, types
 * Ctrl-C, and prints how long the prompt took and how many bytes came before it. Status 1 if it took more
 * than a second, or more than 64 KiB, on a link of 100 KB/s.
 */
import { parseArgs } from 'node:util';
import { seededRandom } from '../support/index.js';
import { interruptRun } from '../support/interrupt-run.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
  },
});
const random = seededRandom();
const GOAL = { bytesPerSecond: 100_000, ms: 1_000, bytes: 64 * 1024 };

console.log('link KB/s   prompt after ms   bytes before it   skipped');
for (const bytesPerSecond of [30_000, GOAL.bytesPerSecond, 300_000, 1_000_000, undefined]) {
  for (let run = 0; run < Number(values.runs); run += 1) {
    const floodMs = Number(values.seconds) * 1_000;
    const { ms, bytes, skipped } = await interruptRun({ bytesPerSecond, floodMs, random });
    const link = bytesPerSecond === undefined ? 'unbounded' : String(bytesPerSecond / 1_000);
    const isLate = bytesPerSecond === GOAL.bytesPerSecond && (ms > GOAL.ms || bytes > GOAL.bytes);
    console.log(
      link.padEnd(9),
      ms.toFixed(0).padStart(17),
      String(bytes).padStart(17),
      String(skipped).padStart(9),
      isLate ? ' too late' : '',
    );
    if (isLate) process.exitCode = 1;
  }
}
