import { limits } from '../../shared/common/index.js';

/**
 * What all terminals of a thread together may read in one turn of its loop: some 2 ms of work. Whoever types into a quiet
 * one waits that long.
 */
const TURN_BYTES = 128 * limits.KIB;
/** No terminal reads more at once, so that its viewers are not fed in jumps. */
const MOST_BYTES = 64 * limits.KIB;

// Of this thread.
let floodsNow = 0;
let floodsBefore = 1;

/** How much a terminal that floods may read in this turn: an equal share of what all may that did in the last one. */
export function readAllowance(): number {
  if (floodsNow === 0) setImmediate(endTurn);
  floodsNow += 1;
  return Math.min(MOST_BYTES, TURN_BYTES / Math.max(floodsBefore, floodsNow));
}

/** Nobody else of this thread had much to read, in this turn and the last one. */
export function isOnlyFlood(): boolean {
  return floodsNow <= 1 && floodsBefore <= 1;
}

/** Immediates run when all that could be read has been told of. */
function endTurn(): void {
  floodsBefore = floodsNow;
  floodsNow = 0;
}
