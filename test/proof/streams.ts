/**
 * `npm run proof:streams -- [--runs N]`: N commands that print 3 MiB on standard output and 3 MiB on standard
 * error at once, to clients that read either in bursts, so that the windows run dry in every order; half of
 * them by OpenSSH's client, half by ssh2's. Prints how many arrived whole. Status 1 if one did not.
 */
import { parseArgs } from 'node:util';
import { seededRandom } from '../support/index.js';
import {
  interleaveByOpenSsh,
  interleaveBySsh2,
  prepareInterleave,
} from '../support/interleave-run.js';
import { SshHarness } from '../support/ssh-harness.js';

const PROGRESS_RUNS = 100;

const { values } = parseArgs({ options: { runs: { type: 'string', default: '1000' } } });
const runs = Number(values.runs);
const random = seededRandom();
const harness = await new SshHarness().start();
const expected = prepareInterleave(harness);
const client = await harness.client();
const damaged: string[] = [];
for (let run = 0; run < runs; run += 1) {
  const byOpenSsh = run % 2 === 0;
  const fault = await (byOpenSsh
    ? interleaveByOpenSsh(harness, expected, random)
    : interleaveBySsh2(client, expected, random));
  if (fault !== undefined)
    damaged.push(`run ${String(run)}, ${byOpenSsh ? 'OpenSSH' : 'ssh2'}: ${fault}`);
  if ((run + 1) % PROGRESS_RUNS === 0) console.error(`${String(run + 1)} of ${String(runs)} runs`);
}
client.end();
await harness.close();
for (const line of damaged) console.log(line);
console.log(`runs ${String(runs)}, both checksums right in ${String(runs - damaged.length)}`);
if (damaged.length > 0) process.exitCode = 1;
