import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkLeaks, requireProgram, seededRandom, tempDir } from '../support/index.js';
import { connect, HANDSHAKE_MS, keepConnected, useUp } from '../support/e2e.js';
import {
  endShared,
  exitSize,
  isShort,
  sshExitRun,
  startLoad,
  terminalExitRun,
  type ExitRun,
} from '../support/exit-runs.js';

checkLeaks({ patienceMs: HANDSHAKE_MS });

const RUNS = 25;
const currentUp = useUp();

test(
  'exit e2e - ssh -tt gets every byte before its status, also paused and under load',
  { ...requireProgram('ssh'), timeout: 240_000 },
  async () => {
    const up = currentUp();
    const random = seededRandom();
    const controlPath = join(tempDir(), 'c');
    const runs: ExitRun[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const endLoad = run % 5 === 4 ? startLoad() : () => undefined;
      // Every fifth on a connection of its own, the others as further sessions on one.
      const shared = run % 5 === 0 ? undefined : controlPath;
      const options = { paused: run % 5 === 3, controlPath: shared };
      runs.push(await sshExitRun(up, exitSize(random, run), options));
      endLoad();
    }
    await endShared(up, controlPath);
    assert.deepEqual(runs.filter(isShort), []);
  },
);

test(
  'exit e2e - a terminal over WebRTC gets every byte before its exit frame, also paused and under load',
  { timeout: 240_000 },
  async () => {
    const up = currentUp();
    const random = seededRandom();
    const links = keepConnected(() => connect(up));
    const runs: ExitRun[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const endLoad = run % 5 === 4 ? startLoad() : () => undefined;
      const id = `exit-${String(run)}`;
      runs.push(await terminalExitRun(links, id, exitSize(random, run), run % 5 === 3));
      endLoad();
    }
    await links.close();
    assert.deepEqual(runs.filter(isShort), []);
  },
);
