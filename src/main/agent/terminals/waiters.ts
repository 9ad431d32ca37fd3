import { deferred, HoldfastError, type Clock } from '../../../shared/common/index.js';
import type { WaitResult } from '../../../shared/common/peer-auth/index.js';

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

  /** @throws {HoldfastError} ERR_WAIT_TIMEOUT after `timeoutMs`, ERR_CLOSED when `gone` aborts. */
  async wait(timeoutMs: number | undefined, gone: AbortSignal): Promise<WaitResult> {
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
    const timer =
      timeoutMs === undefined
        ? undefined
        : this.#clock.after(timeoutMs, () => {
            const message = `no command ended within ${String(timeoutMs / 1_000)} s`;
            result.reject(new HoldfastError('ERR_WAIT_TIMEOUT', message));
          });
    try {
      return await result.promise;
    } finally {
      timer?.cancel();
      gone.removeEventListener('abort', giveUp);
      this.#waiting.delete(resolve);
    }
  }
}
