import { workerData } from 'node:worker_threads';
import type { WorkerSetup } from '../../shared/node/ports/index.js';

/** What main gave to all workers; absent where this file is used without a pool. */
export function workerSetup(): WorkerSetup | undefined {
  return (workerData as WorkerSetup | null) ?? undefined;
}
