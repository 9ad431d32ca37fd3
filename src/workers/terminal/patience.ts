import { limits } from '../../shared/common/index.js';
import type { Viewer } from './viewer.js';

/** How long others are kept waiting for one viewer, at most, by the pace `fastest`. */
interface Account {
  /** Time in ms that may still be spent on waiting for it; as of `asOf`. */
  left: number;
  asOf: number;
  /** Not waited for before this moment. 0: it is waited for. */
  givenUpUntil: number;
  /** How long it is left alone the next time. */
  retryMs: number;
}

/** What is earned per ms in which nobody idles for a viewer: waiting for it takes 3/4 of the time at most. */
const EARNED = 3;

/**
 * The patience of the quickest viewer with those who are nearly as quick. While somebody who has all output
 * idles because others do not have it yet, the time is charged to those others; who has used up its time is
 * left to fall behind, and tried again later, after longer and longer. So viewers of similar speed lose
 * nothing to each other, one that is four times slower than the quickest is on its own, and one that has
 * stopped is waited for once for PATIENCE_MS.
 */
export class Patience {
  readonly #accounts = new WeakMap<Viewer, Account>();
  #charged: readonly Viewer[] = [];
  #since = 0;

  /** Whether `viewer`, as far behind `head` as it is, is waited for. */
  isWorthWaiting(viewer: Viewer, head: number, now: number): boolean {
    const account = this.#accounts.get(viewer);
    if (account === undefined || account.givenUpUntil <= now) return true;
    if (viewer.acked !== head) return false;
    // It has caught up by itself, so what held it up is over.
    this.#accounts.delete(viewer);
    return true;
  }

  /** From now on, and since the last call for those of then, somebody idles for `viewers`. */
  charge(viewers: readonly Viewer[], now: number): void {
    const spent = now - this.#since;
    for (const viewer of this.#charged) this.#spend(viewer, spent, now);
    this.#charged = viewers;
    this.#since = now;
  }

  #spend(viewer: Viewer, ms: number, now: number): void {
    const account = this.#accounts.get(viewer) ?? {
      left: limits.PATIENCE_MS,
      asOf: now - ms,
      givenUpUntil: 0,
      retryMs: limits.PATIENCE_RETRY_MS,
    };
    this.#accounts.set(viewer, account);
    const earned = EARNED * Math.max(0, now - ms - account.asOf);
    account.left = Math.min(limits.PATIENCE_MS, account.left + earned) - ms;
    account.asOf = now;
    if (account.left > 0) return;
    account.left = limits.PATIENCE_MS;
    account.givenUpUntil = now + account.retryMs;
    account.retryMs = Math.min(limits.PATIENCE_RETRY_MAX_MS, account.retryMs * 2);
  }
}
