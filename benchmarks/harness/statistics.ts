/** A figure measured several times: what a table shows of it. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/**
 * The value below which the share `q` (0 to 1) of `samples` lies, with linear interpolation between
 * neighbours. @throws {RangeError} for no samples: there is no honest number to give.
 */
export function quantile(samples: readonly number[], q: number): number {
  if (samples.length === 0) throw new RangeError('a quantile needs samples');
  const sorted = [...samples].sort((a, b) => a - b);
  const position = Math.min(1, Math.max(0, q)) * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
}

/** Median and spread of `samples`. @throws {RangeError} for no samples. */
export function summarize(samples: readonly number[]): Summary {
  return {
    median: quantile(samples, 0.5),
    min: quantile(samples, 0),
    max: quantile(samples, 1),
    count: samples.length,
  };
}

/**
 * The ratios of two figures, run by run: runs with the same index were neighbours in time, so what the
 * machine did meanwhile falls out. Runs that only one of them has are left out.
 */
export function pairRatios(samples: readonly number[], base: readonly number[]): number[] {
  return samples.slice(0, base.length).map((sample, run) => sample / base[run]!);
}

/**
 * Jain's index of fairness (Jain, Chiu, Hawe, 1984): 1 if all got the same, 1/n if one got everything.
 * @throws {RangeError} for no shares.
 */
export function jain(shares: readonly number[]): number {
  if (shares.length === 0) throw new RangeError('fairness needs shares');
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}
