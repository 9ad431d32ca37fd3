import { limits, type Clock, type TerminalId, type Timer } from '../../../shared/common/index.js';
import type { TerminalHandle } from './terminal-handle.js';

/** What was known of a terminal when it exited. */
export interface ExitedTerminal {
  readonly handle: TerminalHandle;
  readonly owner: string;
  /** What it ran instead of a shell, as one line. Absent: a shell. */
  readonly program: string | undefined;
}

export interface ExitedTerminalsOptions {
  /** How long each is kept, in ms. 0: not at all. */
  readonly keepMs: number;
  /** What a log can hold, in bytes. */
  readonly ringBytes: number;
  readonly clock: Clock;
  /** It is not kept any more; whoever looks at it now may finish. */
  readonly onForgotten: (handle: TerminalHandle) => void;
}

interface Kept extends ExitedTerminal {
  readonly timer: Timer;
  readonly bytes: number;
}

/**
 * Terminals that have exited and can still be looked at: for a time, and so many and so many bytes of them;
 * beyond that the one that exited first goes. One for each id, the newest.
 */
export class ExitedTerminals {
  readonly #options: ExitedTerminalsOptions;
  /** In the order in which they exited. */
  readonly #kept = new Map<TerminalId, Kept>();
  #bytes = 0;

  constructor(options: ExitedTerminalsOptions) {
    this.#options = options;
  }

  get(id: TerminalId): ExitedTerminal | undefined {
    return this.#kept.get(id);
  }

  values(): ExitedTerminal[] {
    return [...this.#kept.values()];
  }

  /** False: nothing is kept at all. */
  add(terminal: ExitedTerminal): boolean {
    const { handle } = terminal;
    const { keepMs, clock, ringBytes } = this.#options;
    if (keepMs === 0) return false;
    this.forget(handle.id);
    const timer = clock.after(keepMs, () => {
      this.forget(handle.id);
    });
    const bytes = Math.min(handle.bytes, ringBytes);
    this.#kept.set(handle.id, { ...terminal, timer, bytes });
    this.#bytes += bytes;
    for (const id of this.#kept.keys()) {
      const fits = this.#kept.size <= limits.EXITED_KEPT && this.#bytes <= limits.EXITED_KEPT_BYTES;
      if (fits || id === handle.id) break;
      this.forget(id);
    }
    return true;
  }

  /** Does nothing if none of this id is kept. */
  forget(id: TerminalId): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    this.#bytes -= kept.bytes;
    kept.timer.cancel();
    this.#options.onForgotten(kept.handle);
  }

  /** The log of `handle` is lost. */
  lost(handle: TerminalHandle): void {
    if (this.#kept.get(handle.id)?.handle === handle) this.forget(handle.id);
  }

  forgetAll(): void {
    for (const id of [...this.#kept.keys()]) this.forget(id);
  }
}
