import { limits } from '../../shared/common/index.js';
import type { Pace } from '../../shared/common/wire/index.js';
import type { Viewer } from './viewer.js';

/** What the viewers' positions mean for the reader and the ring. */
export interface PaceDecision {
  /** Nothing from here on may be evicted. Infinity: nothing is held. */
  readonly floor: number;
  /** Bytes that the viewer who sets the pace has not been sent. 0: nobody sets it. */
  readonly lag: number;
}

/**
 * Whether `viewer` has a say in the pace: it may type, and what it was sent it acknowledged lately. So a
 * closed laptop or a guest never stalls a build; an SSH session always counts, as with OpenSSH.
 */
export function counts(viewer: Viewer, head: number, now: number): boolean {
  if (!viewer.ready) return false;
  if (viewer.alwaysCounts) return true;
  if (!viewer.mayType) return false;
  return viewer.acked === head || now - viewer.progressAt < limits.VIEWER_COUNTS_MS;
}

/**
 * `fastest` waits for the quickest viewer and for those `isWorthWaiting` names, `slowest` for all, `free` for
 * none; SSH sessions are waited for in each case. Lossless viewers hold in the ring what they have not
 * acknowledged, others that are waited for what they have not been sent.
 */
export function decidePace(
  viewers: Iterable<Viewer>,
  pace: Pace,
  head: number,
  now: number,
  isWorthWaiting: (viewer: Viewer) => boolean,
): PaceDecision {
  let floor = Number.POSITIVE_INFINITY;
  let slowestCursor = Number.POSITIVE_INFINITY;
  let fastestCursor = Number.NEGATIVE_INFINITY;
  for (const viewer of viewers) {
    if (!counts(viewer, head, now)) continue;
    if (viewer.alwaysCounts || pace === 'slowest') {
      floor = Math.min(floor, viewer.acked);
      slowestCursor = Math.min(slowestCursor, viewer.cursor);
    } else if (pace === 'fastest') {
      fastestCursor = Math.max(fastestCursor, viewer.cursor);
      if (!isWorthWaiting(viewer)) continue;
      floor = Math.min(floor, viewer.cursor);
      slowestCursor = Math.min(slowestCursor, viewer.cursor);
    }
  }
  const behindFastest = fastestCursor === Number.NEGATIVE_INFINITY ? 0 : head - fastestCursor;
  const behindSlowest = slowestCursor === Number.POSITIVE_INFINITY ? 0 : head - slowestCursor;
  return { floor, lag: Math.max(behindFastest, behindSlowest) };
}

/**
 * Those who keep others waiting while the reader stands still: at least `bytes` behind, while somebody who
 * counts has everything. Empty: nobody idles.
 */
export function whoHoldsUp(
  viewers: Iterable<Viewer>,
  bytes: number,
  head: number,
  now: number,
): Viewer[] {
  const behind: Viewer[] = [];
  let somebodyIdles = false;
  for (const viewer of viewers) {
    if (!counts(viewer, head, now)) continue;
    if (viewer.acked === head) somebodyIdles = true;
    else if (!viewer.alwaysCounts && head - viewer.cursor >= bytes) behind.push(viewer);
  }
  return somebodyIdles ? behind : [];
}
