/** The benchmarks there are, in the order in which they run. One file per case. */
import type { BenchCase } from '../harness/index.js';
import { burst } from './burst.js';
import { connect } from './connect.js';
import { crowd } from './crowd.js';
import { density } from './density.js';
import { echoUnderFlood } from './echo-under-flood.js';
import { fanOut } from './fan-out.js';
import { latencyOnAPath } from './latency-on-a-path.js';
import { reAttach } from './re-attach.js';
import { resizeStorm } from './resize-storm.js';
import { sftp } from './sftp.js';
import { slowLink } from './slow-link.js';
import { soak } from './soak.js';
import { ssh } from './ssh.js';
import { stoppedViewer } from './stopped-viewer.js';
import { throughput } from './throughput.js';
import { webrtcBulk } from './webrtc-bulk.js';

export const cases: readonly BenchCase[] = [
  throughput,
  fanOut,
  echoUnderFlood,
  webrtcBulk,
  latencyOnAPath,
  connect,
  reAttach,
  density,
  burst,
  stoppedViewer,
  slowLink,
  crowd,
  resizeStorm,
  ssh,
  sftp,
  soak,
];
