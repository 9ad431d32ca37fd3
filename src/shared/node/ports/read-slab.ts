import { limits } from '../../common/index.js';
import type { TerminalStatus } from './terminal-status.js';

/** A byte that no UTF-8 text holds, so that what libuv has written can be told from what it has not. */
const EMPTY = 0xff;
/** Copied rather than filled in: V8 fills shared memory byte by byte, at six times the cost. */
const WIPED = new Uint8Array(limits.PTY_READ_SLAB_BYTES).fill(EMPTY);
/** Log and slab are equally placed within a machine word, so that copies between them are quick. */
const WORD_MASK = 7;

/**
 * What the PTY of one terminal is read into, in shared memory, on its way to the log.
 *
 * A thread that dies leaves here what it had not put into the log; the next one finds it. What was read last it may
 * not even have heard of: a thread that is made to end may still finish the turn of its event loop, and libuv
 * reads on while no JavaScript runs any more. So what has been taken is wiped, and what is not empty behind the
 * bytes that were counted was read and never seen. Binary output that ends in 0xff bytes just then loses those
 * few; nothing else is lost.
 *
 * Memory that was never read into is left alone and zero.
 */
export class ReadSlab {
  readonly #bytes: Uint8Array;
  readonly #status: TerminalStatus;
  /** What lies between them waits. */
  #start = 0;
  #end = 0;
  /** Where it stands in the log. */
  #base = 0;
  /** Beyond it the slab has never been written to. */
  #used: number;

  constructor(shared: SharedArrayBuffer, status: TerminalStatus) {
    this.#bytes = new Uint8Array(shared);
    this.#status = status;
    this.#used = status.slabUsed;
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(limits.PTY_READ_SLAB_BYTES);
  }

  /** What was read and not taken, oldest first. Valid until {@link taken}. */
  get waiting(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** Where to read to next, once: it starts over at the beginning where nothing waits. */
  space(): Uint8Array {
    if (this.#start === this.#end) this.#place(this.#base & WORD_MASK);
    return this.#bytes.subarray(this.#end);
  }

  /** `count` bytes were read into the space. */
  added(count: number): void {
    this.#end += count;
    this.#status.slabEnd = this.#end;
  }

  /**
   * All that waited is in the log, which now ends at `head`. The base moves last: a thread that dies in between
   * leaves bytes that lie before the head, and so are known to have been taken.
   */
  taken(head: number): void {
    this.#wipe(this.#start, this.#end);
    // Where the next read goes to has been said already: not back to the beginning.
    this.#place(this.#end);
    this.#base = head;
    this.#status.slabBase = head;
  }

  /**
   * What a dead thread read and did not append to the log that ends at `head`; a copy. Empty mostly. The slab
   * is empty after it, and begins at the end of these bytes.
   */
  leftBehind(head: number): Uint8Array {
    const { slabBase, slabStart, slabEnd } = this.#status;
    const end = Math.max(slabEnd, this.#writtenTo());
    const from = slabStart + Math.max(0, head - slabBase);
    const left = this.#bytes.slice(Math.min(from, end), end);
    this.#start = 0;
    this.#end = end;
    this.taken(head + left.length);
    return left;
  }

  #place(at: number): void {
    this.#start = at;
    this.#end = at;
    this.#status.slabStart = at;
    this.#status.slabEnd = at;
  }

  #writtenTo(): number {
    let end = this.#bytes.length;
    while (end > this.#used && this.#bytes[end - 1] === 0) end -= 1;
    if (end > this.#used) return end;
    while (end > 0 && this.#bytes[end - 1] === EMPTY) end -= 1;
    return end;
  }

  #wipe(from: number, to: number): void {
    this.#bytes.set(WIPED.subarray(from, to), from);
    if (to <= this.#used) return;
    // What lies before the first bytes, if the slab began within a word.
    this.#bytes.set(WIPED.subarray(this.#used, from), this.#used);
    this.#used = to;
    this.#status.slabUsed = to;
  }
}
