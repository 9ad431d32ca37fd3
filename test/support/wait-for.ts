import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** What is awaited, for the message of a time-out. */
  readonly what?: string;
  /** Generous by default: the machine may be busy. */
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/**
 * The first value of `condition` that is neither `undefined` nor `false`, asked again and again.
 * @throws Error naming `what` if none comes in time.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { what = 'a condition', timeoutMs = 20_000, intervalMs = 10 }: WaitOptions = {},
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    }
    await sleep(intervalMs);
  }
}
