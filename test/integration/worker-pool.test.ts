import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sealInheritedDescriptors } from '../../src/main/agent/process/index.js';
import { WorkerPool } from '../../src/main/agent/worker-pool/index.js';
import { silentLogger, systemClock } from '../../src/shared/common/index.js';
import { checkLeaks, seededRandom } from '../support/index.js';

// Without the wait for threads that load, each of them leaves the descriptors of about a dozen files.
checkLeaks();
sealInheritedDescriptors();

const ROUNDS = 8;
/** Longer than a thread takes to load its code. */
const LOAD_MS = 250;

test('worker pool - closing at any moment, also while threads load, neither aborts nor leaks (piscina and require)', async () => {
  const random = seededRandom();
  for (let round = 0; round < ROUNDS; round += 1) {
    const pool = createPool();
    pool.start();
    await sleep(random.int(0, LOAD_MS));
    await pool.close();
    assert.equal(pool.threads, 0);
  }
});

function createPool(): WorkerPool {
  return new WorkerPool({
    name: 'test',
    entry: new URL('../../src/workers/terminal/entry.js', import.meta.url),
    size: 2,
    tasksPerWorker: 1,
    beatMs: 1_000,
    faults: false,
    maxHeapMb: 64,
    clock: systemClock,
    logger: silentLogger,
  });
}
