/**
 * `npm run proof:shared -- [--seconds N] [--pace fastest|slowest]`: two page-like clients by WebRTC and two real `holdfast attach` in
 * tmux on one terminal that floods; one `attach` is stopped (SIGSTOP) for a minute. Prints the rates of the
 * others before and during that, what they missed, and what the stopped one showed when it went on. Status 1
 * if any of the others missed a byte or got less than half of their rate, or it came back without a notice or with
 * another screen.
 */
import { parseArgs } from 'node:util';
import { PACES } from '../../src/shared/common/wire/index.js';
import { connect, keepConnected } from '../support/e2e.js';
import { sharedRun } from '../support/shared-run.js';
import { startUp } from '../support/up.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    pace: { type: 'string', default: 'fastest' },
  },
});
const pace = PACES.find((each) => each === values.pace);
if (pace === undefined) throw new Error(`--pace is one of ${PACES.join(', ')}`);
const hooks: (() => unknown)[] = [];
const up = await startUp({ after: (hook: unknown) => hooks.push(hook as () => unknown) });
const run = await sharedRun({
  link: () => keepConnected(() => connect(up)),
  workspace: up.ready.workspace,
  attachArgs: [],
  configDir: up.ready.clientConfigDir,
  pace,
  beforeMs: 10_000,
  stoppedMs: Number(values.seconds) * 1_000,
});
const megabytes = (rate: number): string => (rate / 1e6).toFixed(2);
const ratio = run.stoppedRate / run.beforeRate;
console.log(
  `the others: ${megabytes(run.beforeRate)} MB/s before, ${megabytes(run.stoppedRate)} MB/s during the stop, ratio ${ratio.toFixed(2)}`,
);
console.log(`bytes they missed: ${String(run.missed)}, unstated holes: ${String(run.defects)}`);
const [runningNotice, notice] = run.notices;
console.log(`the other attach said: ${runningNotice ?? 'nothing'}`);
console.log(`the stopped one said: ${notice ?? 'nothing'}`);
const isSame = run.screens[0] === run.screens[1];
console.log(`its screen at the end is ${isSame ? 'that' : 'NOT that'} of the one that went on`);
if (!isSame) console.log(run.screens.join('\n---\n'));
const isLossless = run.missed + run.defects === 0 && runningNotice === undefined;
if (!isLossless || notice === undefined || !isSame || ratio < 0.5) {
  process.exitCode = 1;
}
for (const hook of hooks) await hook();
