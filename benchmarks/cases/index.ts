/** The benchmarks there are, in the order in which they run. One file per case. */
import type { BenchCase } from '../harness/index.js';
import { create } from './create.js';
import { echoUnderFlood } from './echo-under-flood.js';
import { memory } from './memory.js';
import { reAttach } from './re-attach.js';
import { sftp } from './sftp.js';
import { soak } from './soak.js';
import { throughput } from './throughput.js';

export const cases: readonly BenchCase[] = [
  throughput,
  echoUnderFlood,
  reAttach,
  create,
  memory,
  sftp,
  soak,
];
