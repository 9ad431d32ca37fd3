import { WorkerPool } from '../worker-pool/index.js';
import type { TerminalsOptions } from './options.js';

const HEAP_MB = 512;
/** One worker takes all of them if need be. */
const TASKS_PER_WORKER = 8_192;

/** `size` threads that serve terminals; `name` is for logs. Nothing is started yet. */
export function createPool(
  name: string,
  size: number,
  { beatMs, faults, clock, logger }: TerminalsOptions,
): WorkerPool {
  return new WorkerPool({
    name,
    entry: new URL('../../../workers/terminal/entry.js', import.meta.url),
    size,
    tasksPerWorker: TASKS_PER_WORKER,
    beatMs,
    faults,
    maxHeapMb: HEAP_MB,
    clock,
    logger,
  });
}
