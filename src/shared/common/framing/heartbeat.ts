import type { Clock, Timer } from '../clock.js';
import { HEARTBEAT_MISSES, HEARTBEAT_MS, PROBE_MS } from '../limits.js';

/** Of one probe. */
const PROBE_PINGS = 3;

export interface HeartbeatOptions {
  readonly clock: Clock;
  /** Asks the other end to answer. Called once per interval. */
  readonly ping: () => void;
  /** Nothing arrived for the whole of the allowed silence. Called once. */
  readonly lost: () => void;
  readonly intervalMs?: number | undefined;
  readonly misses?: number | undefined;
}

/**
 * Notices that the other end has gone: so many intervals in a row in which nothing at all arrived,
 * although each began with a ping. If this process itself was stopped or too busy to fire its timer in time, the silence proves
 * nothing and the count starts over.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #intervalMs: number;
  readonly #misses: number;
  #timer: Timer | undefined;
  #heard = true;
  #missed = 0;
  /** Of the next ping of a probe, or its end. Absent: none is under way. */
  #probe: Timer | undefined;
  /** What arrives now may have been sent before the probe began. */
  #isLate = false;
  #heardLate = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? HEARTBEAT_MS;
    this.#misses = options.misses ?? HEARTBEAT_MISSES;
  }

  start(): void {
    if (this.#timer === undefined) this.#schedule();
  }

  /** Something arrived. */
  heard(): void {
    this.#heard = true;
    if (this.#isLate) this.#heardLate = true;
    else this.#endProbe();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#endProbe();
  }

  /**
   * Looks at once, since somebody says that the other end has gone: it is lost unless something arrives within
   * PROBE_MS. A few pings go out, since one may be lost on the way. What arrives while the first of them waits proves
   * nothing: the last words of whoever was killed lie in the socket until we come to them, behind a flood for some
   * hundred milliseconds. Then it is the time from there that counts.
   */
  probe(): void {
    if (this.#timer === undefined || this.#probe !== undefined) return;
    this.#isLate = true;
    this.#heardLate = false;
    this.#ask(PROBE_PINGS);
  }

  #ask(pings: number): void {
    const { clock } = this.#options;
    this.#options.ping();
    const wait = PROBE_MS / PROBE_PINGS;
    const due = clock.now() + wait;
    this.#probe = clock.after(wait, () => {
      // This process was too busy to hear an answer: as many pings once more.
      if (clock.now() - due > wait) {
        this.#ask(PROBE_PINGS);
        return;
      }
      const restart = this.#isLate && this.#heardLate;
      this.#isLate = false;
      if (restart) this.#ask(PROBE_PINGS);
      else if (pings > 1) this.#ask(pings - 1);
      else {
        this.stop();
        this.#options.lost();
      }
    });
  }

  #endProbe(): void {
    this.#probe?.cancel();
    this.#probe = undefined;
    this.#isLate = false;
  }

  #schedule(): void {
    const { clock } = this.#options;
    const due = clock.now() + this.#intervalMs;
    this.#timer = clock.after(this.#intervalMs, () => {
      this.#beat(clock.now() - due);
    });
  }

  #beat(lateMs: number): void {
    if (this.#heard || lateMs > this.#intervalMs / 2) this.#missed = 0;
    else this.#missed += 1;
    this.#heard = false;
    if (this.#missed >= this.#misses) {
      this.stop();
      this.#options.lost();
      return;
    }
    this.#options.ping();
    this.#schedule();
  }
}
