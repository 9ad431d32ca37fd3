import { limits } from '../../../shared/common/index.js';

/** Losses within this time count together. */
const LOSSES_MS = 60_000;
/** What a loss counts for where the worker did something else when it died. */
const BYSTANDER = 0.25;

/**
 * How often a terminal has lost its worker lately. One that kills each worker it meets must not go on, since
 * all terminals beside it pause each time; one that was only beside it should, so its losses count for less.
 */
export class WorkerLosses {
  #losses: { readonly at: number; readonly weight: number }[] = [];

  /** @param isCause the worker was busy with this very terminal. @returns whether it should be given up. */
  add(isCause: boolean, now: number): boolean {
    this.#losses = this.#losses.filter(({ at }) => now - at < LOSSES_MS);
    this.#losses.push({ at: now, weight: isCause ? 1 : BYSTANDER });
    return this.#losses.reduce((sum, { weight }) => sum + weight, 0) > limits.ADOPT_TRIES;
  }

  /** Of the last minute. */
  get count(): number {
    return this.#losses.length;
  }
}
