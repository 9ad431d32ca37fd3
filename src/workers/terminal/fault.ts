import { workerData } from 'node:worker_threads';
import { assertNever } from '../../shared/common/index.js';
import type { FaultKind, WorkerSetup } from '../../shared/node/ports/index.js';

/** Kills this worker in the way `kind` says. Does nothing unless the test door was opened at start. */
export function injectFault(kind: FaultKind): void {
  if (!(workerSetup()?.faults ?? false)) return;
  switch (kind) {
    case 'throw':
      setTimeout(() => {
        throw new Error('injected fault');
      }, 0);
      return;
    case 'loop':
      for (;;);
    case 'exit':
      process.exit(1);
      return;
    case 'heap': {
      const hoard: unknown[] = [];
      for (;;) hoard.push(new Array(1_000).fill({}));
    }
    default:
      assertNever(kind);
  }
}

/** What main gave to all workers; absent where this file is used without a pool. */
export function workerSetup(): WorkerSetup | undefined {
  return (workerData as WorkerSetup | null) ?? undefined;
}
