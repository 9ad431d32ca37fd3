import { deferred, type Clock } from '../../../shared/common/index.js';

/** Resolves with `event`, or after `ms` without it. */
export async function withinTime(event: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  const late = deferred<void>();
  const timer = clock.after(ms, late.resolve);
  await Promise.race([event, late.promise]);
  timer.cancel();
}
