export interface BulkParams {
  readonly milliseconds: number;
  /** How often a key is sent beside it, in ms; 0: not at all. */
  readonly keyIntervalMs: number;
}

export interface BulkResult {
  readonly bytes: number;
  readonly seconds: number;
  /** Of the keys, in ms; of a lost one the longest that is waited for. */
  readonly latencies: readonly number[];
}

/** What `moved` grows by in a while, from now on, while `echo` types. */
export async function measureBulk(
  { milliseconds, keyIntervalMs }: BulkParams,
  moved: () => number,
  echo: (keys: number, intervalMs: number) => Promise<readonly number[]>,
): Promise<BulkResult> {
  const before = moved();
  const start = performance.now();
  const latencies =
    keyIntervalMs === 0 ? [] : await echo(Math.floor(milliseconds / keyIntervalMs), keyIntervalMs);
  const rest = milliseconds - (performance.now() - start);
  if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
  return { bytes: moved() - before, seconds: (performance.now() - start) / 1e3, latencies };
}
