import { assertNever } from '../../common/index.js';
import type { FaultKind } from './terminal-port.js';

/** More than ended terminals give their viewers, less than it takes until a worker is given up. */
const STALL_MS = 2_500;

/**
 * Kills or stalls this worker in the way `kind` says, for tests of what outlives it. The caller has made sure that
 * the test door was opened at start.
 */
export function injectFault(kind: FaultKind): void {
  switch (kind) {
    case 'throw':
      setTimeout(() => {
        throw new Error('injected fault');
      }, 0);
      return;
    case 'stall':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS);
      return;
    case 'loop':
      for (;;);
    case 'exit':
      process.exit(1);
      return;
    case 'heap': {
      // Small pieces: V8 gives a thread 16 MiB beyond its limit to end itself in, and one allocation
      // larger than that ends the process (ADR 13).
      let hoard: unknown;
      for (;;) hoard = { hoard };
    }
    default:
      assertNever(kind);
  }
}
