import { quantile } from './statistics.js';

/** Bounds for a median; at least one of them. */
export interface Goal {
  readonly min?: number;
  readonly max?: number;
}

/** How a figure stands to its goal. */
export interface Verdict {
  readonly met: boolean;
  readonly median: number;
  /** The bound that was missed, else the one that is nearest. */
  readonly bound: number;
  /** How far the median is from that bound, as a share of it; never negative. */
  readonly distance: number;
  /** Runs that by themselves meet it, of all runs. */
  readonly runsMet: number;
  readonly runs: number;
}

/** @throws {RangeError} for no samples, or a goal without a bound. */
export function judge(samples: readonly number[], goal: Goal): Verdict {
  const median = quantile(samples, 0.5);
  const bounds = [goal.min, goal.max].filter((bound) => bound !== undefined);
  const [first] = bounds;
  if (first === undefined) throw new RangeError('a goal needs a bound');
  const broken = goal.min !== undefined && median < goal.min ? goal.min : goal.max;
  const met = isWithin(median, goal);
  const nearest = bounds.reduce((near, bound) =>
    Math.abs(median - bound) < Math.abs(median - near) ? bound : near,
  );
  const bound = met ? nearest : (broken ?? first);
  return {
    met,
    median,
    bound,
    distance: bound === 0 ? Math.abs(median) : Math.abs(median - bound) / Math.abs(bound),
    runsMet: samples.filter((sample) => isWithin(sample, goal)).length,
    runs: samples.length,
  };
}

function isWithin(value: number, { min, max }: Goal): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max);
}

/** As in `>= 0.9`. */
export function formatGoal({ min, max }: Goal): string {
  if (min !== undefined && max !== undefined) return `${String(min)} to ${String(max)}`;
  return min === undefined ? `<= ${String(max)}` : `>= ${String(min)}`;
}

/** As in `met` or `missed by 12 %`. */
export function formatVerdict({ met, distance, runsMet, runs }: Verdict): string {
  const percent = `${(distance * 100).toFixed(distance < 0.1 ? 1 : 0)} %`;
  if (!met)
    return distance > 10 ? `missed, ${(distance + 1).toFixed(0)} times it` : `missed by ${percent}`;
  return runsMet === runs
    ? 'met'
    : `met, but not in ${String(runs - runsMet)} of ${String(runs)} runs`;
}
