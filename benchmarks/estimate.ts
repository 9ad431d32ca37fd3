import type { BenchCase, Scale } from './harness/index.js';

/** How long cases take at a scale, as a share of what they take at the normal one. */
const SHARES: Readonly<Record<Scale, number>> = { tiny: 0.1, small: 0.1, normal: 1, full: 3 };
/** Runs that the cases' own estimates are for, and the warm-up. */
const ROUNDS = 6;

/** Guesses how long cases will take, from what they say and from how long those before them took. */
export class Estimate {
  readonly #share: number;
  #guessed = 0;
  #taken = 0;

  constructor({ scale, runs }: { readonly scale: Scale; readonly runs: number }) {
    this.#share = SHARES[scale] * ((runs + 1) / ROUNDS);
  }

  took({ minutes }: Pick<BenchCase, 'minutes'>, seconds: number): void {
    this.#guessed += minutes * this.#share;
    this.#taken += seconds / 60;
  }

  minutesFor(left: readonly Pick<BenchCase, 'minutes'>[]): number {
    const minutes = left.reduce((sum, each) => sum + each.minutes, 0) * this.#share;
    return this.#guessed === 0 ? minutes : (minutes * this.#taken) / this.#guessed;
  }
}
