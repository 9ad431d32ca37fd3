import { performance } from 'node:perf_hooks';

/** Milliseconds since 1970 with fractions, the same in all processes of this machine, whatever is set meanwhile. */
export function wallNow(): number {
  return performance.timeOrigin + performance.now();
}
