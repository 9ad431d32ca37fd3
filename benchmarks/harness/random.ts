/** A repeatable source of numbers in [0, 1): the same seed gives the same sequence on every machine. */
export function seededRandom(seed: number): () => number {
  // xorshift32 (Marsaglia, 2003); 0 is its only fixed point.
  let state = seed >>> 0 || 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** A seed, never 0: of an invocation, or by its `random` one that follows from it, for a path or a program. */
export function drawSeed(random: () => number): number {
  return 1 + Math.floor(random() * (2 ** 31 - 1));
}

/** A copy of `items` in random order. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}
