import { deferred, HoldfastError, type Clock, type Timer } from '../../../shared/common/index.js';
import type { WaitResult } from '../../../shared/common/peer-auth/index.js';

export interface WaitOptions {
  /** Absent: for as long as it takes. */
  readonly timeoutMs: number | undefined;
  /** Gives up. */
  readonly gone: AbortSignal;
  /** Whether it makes sense to wait at all is looked at after `ms`. Absent: it does. */
  readonly doubt?:
    | {
        readonly ms: number;
        /** Absent: it does. */
        error(): HoldfastError | undefined;
      }
    | undefined;
}

/** Those who wait for the next command of one terminal to end. */
export class Waiters {
  readonly #clock: Clock;
  readonly #waiting = new Set<(result: WaitResult) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Tells all who wait now. */
  tell(result: WaitResult): void {
    for (const resolve of this.#waiting) resolve(result);
    this.#waiting.clear();
  }

  /**
   * @throws {HoldfastError} ERR_WAIT_TIMEOUT after `timeoutMs`, ERR_CLOSED when `gone` aborts, and what
   *   `doubt` says after its time.
   */
  async wait({ timeoutMs, gone, doubt }: WaitOptions): Promise<WaitResult> {
    const result = deferred<WaitResult>();
    const resolve = (value: WaitResult): void => {
      result.resolve(value);
    };
    const giveUp = (): void => {
      result.reject(new HoldfastError('ERR_CLOSED', 'the one who waited has left'));
    };
    this.#waiting.add(resolve);
    gone.addEventListener('abort', giveUp, { once: true });
    if (gone.aborted) giveUp();
    const timers: Timer[] = [];
    if (timeoutMs !== undefined) {
      const message = `no command ended within ${String(timeoutMs / 1_000)} s`;
      timers.push(
        this.#clock.after(timeoutMs, () => {
          result.reject(new HoldfastError('ERR_WAIT_TIMEOUT', message));
        }),
      );
    }
    if (doubt !== undefined) {
      timers.push(
        this.#clock.after(doubt.ms, () => {
          const error = doubt.error();
          if (error !== undefined) result.reject(error);
        }),
      );
    }
    try {
      return await result.promise;
    } finally {
      for (const timer of timers) timer.cancel();
      gone.removeEventListener('abort', giveUp);
      this.#waiting.delete(resolve);
    }
  }
}
