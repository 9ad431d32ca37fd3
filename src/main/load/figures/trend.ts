/** A value at a time. */
export interface Point {
  readonly atMs: number;
  readonly value: number;
}

/** How a value grows. */
export interface Trend {
  /** Of the straight line through the points (least squares). */
  readonly perMinute: number;
  /** Half the width of the 95 % interval around it; what is smaller than this may be nothing. */
  readonly noise: number;
}

/** For fewer points a line says nothing. */
const MIN_POINTS = 6;

/**
 * The trend of `points`, with the noise that they show. Neighbours in time resemble each other (a heap goes
 * up and down as a whole), so that they count for less than their number: the effective one is that of
 * independent points with the same correlation of neighbours (Santer et al. 2000, doi:10.1029/1999JD901105).
 * Absent: too few points.
 */
export function trendOf(points: readonly Point[]): Trend | undefined {
  const count = points.length;
  if (count < MIN_POINTS) return undefined;
  const meanAt = mean(points.map(({ atMs }) => atMs));
  const meanValue = mean(points.map(({ value }) => value));
  let across = 0;
  let both = 0;
  for (const { atMs, value } of points) {
    across += (atMs - meanAt) ** 2;
    both += (atMs - meanAt) * (value - meanValue);
  }
  if (across === 0) return undefined;
  const slope = both / across;
  const rests = points.map(({ atMs, value }) => value - meanValue - slope * (atMs - meanAt));
  const squares = rests.reduce((sum, rest) => sum + rest * rest, 0);
  const neighbours = rests.slice(1).reduce((sum, rest, at) => sum + rest * (rests[at] ?? 0), 0);
  const likeness = squares === 0 ? 0 : Math.min(0.99, Math.max(0, neighbours / squares));
  const effective = Math.max(3, (count * (1 - likeness)) / (1 + likeness));
  const error = Math.sqrt(squares / (effective - 2) / across);
  return { perMinute: slope * 60_000, noise: 1.96 * error * 60_000 };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
