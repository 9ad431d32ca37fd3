import { limits } from '../../common/index.js';
import type { TerminalStatus } from './terminal-status.js';

/** A byte that no UTF-8 text holds, so that what libuv has written can be told from what it has not. */
const EMPTY = 0xff;
/** Copied rather than filled in: V8 fills shared memory byte by byte, at six times the cost. */
const WIPED = new Uint8Array(limits.PTY_READ_SLAB_BYTES).fill(EMPTY);

/**
 * What the PTY of one terminal is read into, in shared memory.
 *
 * A thread that is made to end may still finish the turn of its event loop: libuv reads up to one more
 * chunk, and the JavaScript that would take it does not run any more. So the slab is wiped after each
 * chunk, and what the next worker finds in it was read and never taken. Binary output that ends in 0xff
 * bytes just then loses those few; nothing else is lost.
 */
export class ReadSlab {
  readonly bytes: Uint8Array;
  readonly #status: TerminalStatus;

  constructor(shared: SharedArrayBuffer, status: TerminalStatus) {
    this.bytes = new Uint8Array(shared);
    this.#status = status;
  }

  /** A wiped slab. */
  static allocate(): SharedArrayBuffer {
    const shared = new SharedArrayBuffer(limits.PTY_READ_SLAB_BYTES);
    new Uint8Array(shared).fill(EMPTY);
    return shared;
  }

  /**
   * The first `length` bytes are in the log, which now ends at `head`. The base moves last: a thread that
   * dies in between leaves bytes that lie before the head, and so are known to have been taken.
   */
  taken(length: number, head: number): void {
    this.bytes.set(length === WIPED.length ? WIPED : WIPED.subarray(0, length));
    this.#status.slabBase = head;
  }

  /** What a dead worker read and did not append to the log that ends at `head`. Empty mostly. */
  leftBehind(head: number): Uint8Array {
    let length = this.bytes.length;
    while (length > 0 && this.bytes[length - 1] === EMPTY) length -= 1;
    const appended = Math.max(0, head - this.#status.slabBase);
    return this.bytes.slice(Math.min(appended, length), length);
  }
}
