import { randomInt } from 'node:crypto';

/** Random numbers that a failed test can be run again with. */
export interface SeededRandom {
  readonly seed: number;
  /** Uniform in [0, 1). */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  bytes(count: number): Uint8Array<ArrayBuffer>;
  pick<T>(list: readonly T[]): T;
}

/**
 * A generator seeded from HOLDFAST_TEST_SEED, else at random; prints the seed, which the report shows
 * when the file fails. The generator is mulberry32: good enough to choose test data, and short.
 */
export function seededRandom(): SeededRandom {
  const given = Number(process.env['HOLDFAST_TEST_SEED']);
  const seed = Number.isInteger(given) && given > 0 ? given : randomInt(1, 2 ** 31);
  console.log(`HOLDFAST_TEST_SEED=${seed}`);
  return createRandom(seed);
}

/** A generator of which the whole sequence follows from `seed`. */
export function createRandom(seed: number): SeededRandom {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    seed,
    next,
    int,
    bytes: (count) => Uint8Array.from({ length: count }, () => int(0, 255)),
    pick: <T>(list: readonly T[]): T => list[int(0, list.length - 1)] as T,
  };
}
