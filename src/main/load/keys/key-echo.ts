import { sleep } from '../../../shared/common/index.js';

/** A prime, so that no usual number of lost keys looks like none; from `!` on, all of them printable. */
const KEYS = 89;
const FIRST_KEY = 0x21;
/** Typed and not echoed; with so many the session counts as stuck, and nothing is typed until it answers. */
const MAX_OUTSTANDING = 1_000;
/** After a stall of this program the keys that were due meanwhile are typed at once, but not more than these. */
const MAX_LATE = 20;
/** For the last keys to come back, over a new connection if need be. */
const LAST_KEYS_MS = 10_000;
const POLL_MS = 20;

export interface KeyEchoOptions {
  /** Between two keys, in ms. */
  readonly everyMs: number;
  /** From 0 to 1: when in the interval the first key comes, so that not all sessions are typed into at once. */
  readonly phase: number;
  /** Types. False: it was not taken. */
  readonly type: (bytes: Uint8Array) => boolean;
  /** A key came back after so many ms. */
  readonly onEcho: (ms: number) => void;
  readonly onFault: (kind: 'lostKeys' | 'doubledKeys' | 'wrongKeys', count: number) => void;
}

/**
 * Types one key after the other into something that echoes, whether the last one came back or not (open loop:
 * a stall costs every key that falls into it), times each from when it was typed, and finds out which of
 * them got lost or came twice.
 */
export class KeyEcho {
  readonly #options: KeyEchoOptions;
  /** When the keys were typed that have not come back, in their order. */
  #typedAt: number[] = [];
  /** Number of the key that is due back next. */
  #next = 0;
  #typed = 0;
  #dueAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KeyEchoOptions) {
    this.#options = options;
  }

  /** Keys that have not come back. */
  get outstanding(): number {
    return this.#typedAt.length;
  }

  /** Keys typed so far. */
  get typed(): number {
    return this.#typed;
  }

  /** Begins to type. */
  start(): void {
    const { everyMs, phase } = this.#options;
    this.#dueAt = performance.now() + phase * everyMs;
    this.#schedule();
  }

  /** Types no more; what is under way may still come back. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The session has died, and with it the keys that did not come back. Types no more until `start`. */
  abandon(): void {
    this.stop();
    this.#next += this.#typedAt.length;
    this.#typedAt = [];
  }

  /**
   * Types no more and waits for the last keys to come back. Those that do not are lost.
   * @param signal Ends the wait; then nobody knows what became of them.
   * @param patienceMs How long.
   */
  async finish(signal?: AbortSignal, patienceMs = LAST_KEYS_MS): Promise<void> {
    this.stop();
    const deadline = performance.now() + patienceMs;
    while (this.#typedAt.length > 0 && performance.now() < deadline && signal?.aborted !== true)
      await sleep(POLL_MS);
    if (signal?.aborted === true) this.abandon();
    const lost = this.#typedAt.length;
    if (lost > 0) this.#options.onFault('lostKeys', lost);
    this.abandon();
  }

  /** What came back. */
  data(bytes: Uint8Array): void {
    const now = performance.now();
    for (const byte of bytes) this.#echoed(byte, now);
  }

  #echoed(byte: number, now: number): void {
    const { onEcho, onFault } = this.#options;
    const skip = this.#skipTo(byte);
    if (skip === undefined) {
      const isKey = byte >= FIRST_KEY && byte < FIRST_KEY + KEYS;
      onFault(isKey ? 'doubledKeys' : 'wrongKeys', 1);
      return;
    }
    if (skip > 0) onFault('lostKeys', skip);
    const [typedAt = now] = this.#typedAt.splice(0, skip + 1).slice(-1);
    this.#next += skip + 1;
    onEcho(now - typedAt);
  }

  /** How many of the keys that are due were left out if `byte` is one of them. Absent: it is none. */
  #skipTo(byte: number): number | undefined {
    const most = Math.min(this.#typedAt.length, KEYS);
    for (let skip = 0; skip < most; skip += 1) {
      if (keyOf(this.#next + skip) === byte) return skip;
    }
    return undefined;
  }

  #schedule(): void {
    this.#timer = setTimeout(
      () => {
        this.#typeDue();
        this.#schedule();
      },
      Math.max(0, this.#dueAt - performance.now()),
    );
  }

  #typeDue(): void {
    const { everyMs, type } = this.#options;
    const now = performance.now();
    for (let late = 0; this.#dueAt <= now && late < MAX_LATE; late += 1) {
      this.#dueAt += everyMs;
      if (this.#typedAt.length >= MAX_OUTSTANDING) continue;
      this.#typedAt.push(now);
      if (type(Uint8Array.of(keyOf(this.#next + this.#typedAt.length - 1)))) this.#typed += 1;
      else this.#typedAt.pop();
    }
    this.#dueAt = Math.max(this.#dueAt, now);
  }
}

function keyOf(number: number): number {
  return FIRST_KEY + (number % KEYS);
}
