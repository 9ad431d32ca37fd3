import { HoldfastError } from './errors.js';

/** A timer that can be called off; calling off twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Where time comes from. Injected wherever a delay decides behaviour, so that tests move time by
 * hand. Monotonic: wall-clock jumps (suspend, NTP) never fire or starve a timer.
 */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Calls `callback` once, after `ms` milliseconds. */
  after(ms: number, callback: () => void): Timer;
}

/** The real clock. Its timers keep a Node process alive until they fire or are cancelled. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * Resolves after `ms`.
 * @throws {HoldfastError} ERR_CLOSED as soon as `signal` aborts.
 */
export function sleep(ms: number, signal?: AbortSignal, clock: Clock = systemClock): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      timer.cancel();
      reject(new HoldfastError('ERR_CLOSED', 'wait given up'));
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
