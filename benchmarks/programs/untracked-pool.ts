import { WorkerPool, type TaskPool } from '../../src/main/agent/worker-pool/index.js';
import { limits, silentLogger, systemClock } from '../../src/shared/common/index.js';
import type { TerminalTask } from '../../src/shared/node/ports/index.js';

/**
 * The baseline that shows what the screens of terminals cost: the very same workers, with no tracker of
 * sequences that output needs and nothing folded, as for the PTY of an SSH session.
 */
export function createUntrackedPool(workers: number): TaskPool {
  const pool = new WorkerPool({
    name: 'terminal',
    entry: new URL('../../src/workers/terminal/entry.js', import.meta.url),
    size: workers,
    tasksPerWorker: 1_000,
    beatMs: limits.WORKER_BEAT_MS,
    faults: false,
    maxHeapMb: 512,
    clock: systemClock,
    logger: silentLogger,
  });
  return {
    get degraded() {
      return pool.degraded;
    },
    start: () => {
      pool.start();
    },
    requireHealthy: () => {
      pool.requireHealthy();
    },
    run: async (task, transfer) => {
      await pool.run({ ...(task as TerminalTask), replays: false }, transfer);
    },
    close: () => pool.close(),
  };
}
