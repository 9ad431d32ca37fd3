import { writeSync } from 'node:fs';
import type { Clock, Timer } from '../../shared/common/index.js';

const RETRY_MIN_MS = 1;
const RETRY_MAX_MS = 50;

/** Ctrl-C, Ctrl-\ and Ctrl-Z. */
const INTERRUPTS = [0x03, 0x1c, 0x1a] as const;

/** Whether whoever typed `bytes` wants to see what comes after them, and not what was to be seen before. */
export function isInterrupt(bytes: Uint8Array): boolean {
  return INTERRUPTS.some((key) => bytes.includes(key));
}

interface Pending {
  /** What the kernel does not have yet. */
  bytes: Uint8Array;
  readonly length: number;
  readonly done: () => void;
  /** Absent: nobody can take it back. */
  readonly client: string | undefined;
}

/**
 * Writes input to a PTY master without ever blocking. When the program does not read, what is left is
 * tried again on a timer, not in a loop: node-pty's own writer keeps a core busy there (PR #956). The
 * bound on what can wait here is the callers': each is told when its bytes have been taken.
 */
export class PtyWriter {
  readonly #fd: number;
  readonly #clock: Clock;
  #queue: Pending[] = [];
  #retry: Timer | undefined;
  #retryMs = RETRY_MIN_MS;
  #closed = false;

  constructor(fd: number, clock: Clock) {
    this.#fd = fd;
    this.#clock = clock;
  }

  /**
   * Queues `bytes`; `done` is called when the kernel has all of them, or when nobody can read them.
   *
   * @param client Who may take them {@link takeBack | back}. Absent: nobody.
   */
  write(bytes: Uint8Array, done: () => void, client?: string): void {
    if (this.#closed) return;
    this.#queue.push({ bytes, length: bytes.length, done, client });
    if (this.#retry === undefined) this.#flush();
  }

  /**
   * Drops what `client` has typed and the kernel does not have, without a call of `done`, since the client sends it
   * again. Returns how many bytes of the first piece dropped are typed already.
   */
  takeBack(client: string): number {
    const first = this.#queue.find((piece) => piece.client === client);
    if (first === undefined) return 0;
    this.#queue = this.#queue.filter((piece) => piece.client !== client);
    return first.length - first.bytes.length;
  }

  /**
   * Drops what waits, and calls no `done` for it: input that was not written must not be recorded as
   * written. The descriptor stays the caller's.
   */
  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#queue.length = 0;
  }

  #flush(): void {
    this.#retry = undefined;
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      try {
        first.bytes = first.bytes.subarray(writeSync(this.#fd, first.bytes));
        this.#retryMs = RETRY_MIN_MS;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
          this.#retry = this.#clock.after(this.#retryMs, () => this.#flush());
          this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
          return;
        }
        // EIO: nobody has the terminal open, so nobody can ever read this.
        first.bytes = first.bytes.subarray(first.bytes.length);
      }
      if (first.bytes.length === 0) {
        this.#queue.shift();
        first.done();
      }
    }
  }
}
