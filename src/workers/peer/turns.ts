import { FairQueue, type Lane } from '../../shared/common/framing/index.js';
import { limits } from '../../shared/common/index.js';

/** Something of this thread that sends to a peer. */
export interface TurnTaker extends Lane {
  /** Sends one message. Returns whether there is more that can be sent now. */
  takeTurn(): boolean;
}

/**
 * Sent in one turn of the loop, before what has arrived meanwhile is looked at: a fraction of a millisecond. The ports of 32
 * viewers of floods deliver 8 MiB at once, and a key of somebody else would be behind all of it, twice.
 */
const TURN_BYTES = 256 * limits.KIB;

// Of this thread.
const queue = new FairQueue<TurnTaker>();
let isScheduled = false;

/** Has `taker` send when it is its turn: those with little before those with much, across all connections. */
export function awaitTurn(taker: TurnTaker): void {
  queue.add(taker);
  schedule();
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(giveTurns);
}

function giveTurns(): void {
  isScheduled = false;
  for (let sent = 0; sent < TURN_BYTES;) {
    const taker = queue.next();
    if (taker === undefined) return;
    const before = taker.queuedBytes;
    if (taker.takeTurn()) queue.add(taker);
    sent += before - taker.queuedBytes;
  }
  schedule();
}
