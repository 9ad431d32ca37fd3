import { randomInt } from 'node:crypto';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { ReadStream, type ReadStream as TtyReadStream } from 'node:tty';
import { limits, type Clock, type Timer } from '../../shared/common/index.js';
import type { ReadSlab } from '../../shared/node/ports/index.js';
import { readNow } from '../../shared/node/system/index.js';
import { MarkerFilter } from './marker-filter.js';
import { isOnlyFlood, readAllowance } from './read-allowance.js';

export interface PtyReaderOptions {
  /** Belongs to the reader from here on; it closes by itself when the PTY hangs up. */
  readonly readFd: number;
  /** For reading on after that. Stays the caller's, and open until the reader has ended. */
  readonly ioFd: number;
  readonly slavePath: string;
  /** What is read into, and nobody else's. */
  readonly slab: ReadSlab;
  readonly clock: Clock;
  /** Output in order, as it is read. `bytes` is only valid during the call. */
  onData(bytes: Uint8Array): void;
  /** What was given to `onData` out of the slab has been dealt with. */
  onTaken(): void;
  /** It is time to hand on what came since the last call: after PTY_BATCH_BYTES where it floods. */
  onBatch(): void;
  /** The process has ended and all its output has been handed over. Called once. */
  onEnd(): void;
}

/** For reads outside libuv; one for all terminals of the thread, since each is dealt with at once. */
const scratch = Buffer.allocUnsafeSlow(limits.PTY_BATCH_BYTES);

/** After the process has ended, how long the PTY may stay open before the end is marked. */
const HELD_OPEN_MS = 50;
/** A full output queue that nobody can drain any more (stopped with ^S) ends the wait for the mark. */
const MARK_MS = 2_000;
const POLL_MIN_MS = 5;
const POLL_MAX_MS = 250;
/** Output collects this long during a flood, so that viewers have few large pieces to deal with. */
const COLLECT_MS = 2;
/** Output this soon after input is its echo and goes on at once. */
const ECHO_MS = 20;
/** After a read of so much there is probably more: the kernel holds up to 4 KiB ready, and refills it at once. */
const FULL_READ_BYTES = 2 * limits.KIB;
/**
 * From one read of a flood to the next, where this thread serves no other. The kernel needs about so long to have 4 KiB
 * ready; who asks earlier is made to wait for its worker, which takes 40 µs. Far beyond it, and nothing is gained.
 */
const REFILL_MS = 0.01;

/**
 * Reads a PTY master to its true end.
 *
 * libuv takes a partial read together with a hang-up for the end of the stream, though the kernel still
 * holds output (node-pty #72, libuv #4992). So its end of stream only means "read on synchronously": the
 * end is EIO *after* the process has been waited for. And if a background job keeps the PTY open beyond
 * that, a private mark is written to the slave side: what comes before it was there in time.
 */
export class PtyReader {
  readonly #options: PtyReaderOptions;
  #stream: TtyReadStream | undefined;
  #paused = false;
  #processExited = false;
  #ended = false;
  #timer: Timer | undefined;
  #pollMs = POLL_MIN_MS;
  #handedOverAt = Number.NEGATIVE_INFINITY;
  /** Given to `onData` since the last `onBatch`. */
  #collectedBytes = 0;
  #inputAt = Number.NEGATIVE_INFINITY;
  #immediate: NodeJS.Immediate | undefined;
  #collecting: Timer | undefined;
  #mark:
    { readonly slaveFd: number; readonly filter: MarkerFilter; unsent: Uint8Array } | undefined;

  constructor(options: PtyReaderOptions) {
    this.#options = options;
  }

  start(): void {
    // `onread` reaches net.Socket through tty's options, though the types do not say so.
    const options = {
      onread: {
        // Asked for after each read, for the next one: it must stay good until then.
        buffer: () => this.#options.slab.space(),
        callback: (length: number): boolean => {
          this.#read(length);
          return !this.#paused;
        },
      },
    };
    const stream = new ReadStream(this.#options.readFd, options as object);
    this.#stream = stream;
    // EIO is how a PTY ends where libuv does not call it an end; 'close' follows both.
    stream.on('error', () => undefined);
    stream.on('end', () => {
      stream.destroy();
    });
    stream.on('close', () => {
      this.#stream = undefined;
      this.#handOver();
      this.#poll();
    });
    stream.resume();
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Somebody typed: what comes soon is the echo. */
  inputArrived(): void {
    this.#inputAt = this.#options.clock.now();
  }

  /** Stops reading, so that the program blocks once the kernel's buffer is full. Not at the end. */
  pause(): void {
    if (this.#paused || this.#processExited) return;
    this.#paused = true;
    this.#stream?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#stream !== undefined) this.#stream.resume();
    else this.#poll();
  }

  /** The process has been waited for: from here on all is read at once, whatever the pace. */
  processExited(): void {
    if (this.#processExited) return;
    this.#processExited = true;
    this.resume();
    this.#timer?.cancel();
    if (this.#stream === undefined) this.#poll();
    else this.#timer = this.#options.clock.after(HELD_OPEN_MS, () => this.#markEnd());
  }

  /** The thread is about to end: whatever the kernel has stays there for the next one. */
  freeze(): void {
    this.#stream?.pause();
  }

  /** Gives up reading. `onEnd` is not called any more. */
  close(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#unschedule();
    this.#unmark();
    this.#stream?.destroy();
  }

  /**
   * `first` bytes were read. Reads on by itself as long as the program keeps up, since it takes a fifth of what it costs
   * to be called for each 4 KiB.
   *
   * Each piece is dealt with before the next read, since the kernel fills its 4 KiB anew meanwhile (docs/performance.md).
   */
  #read(first: number): void {
    const { slab, ioFd } = this.#options;
    const allowance = first < FULL_READ_BYTES ? 0 : readAllowance();
    let length = first;
    let readAt = performance.now();
    for (let turn = 0; ;) {
      slab.added(length);
      turn += length;
      this.#data(slab.waiting);
      this.#options.onTaken();
      if (this.#collectedBytes >= limits.PTY_BATCH_BYTES) this.#handOver();
      if (length < FULL_READ_BYTES || turn >= allowance || this.#isIdle()) break;
      while (isOnlyFlood() && performance.now() < readAt + REFILL_MS);
      length = readNow(ioFd, slab.space());
      if (length <= 0) break;
      readAt = performance.now();
    }
    if (this.#collectedBytes > 0 && !this.#ended) this.#schedule();
  }

  #schedule(): void {
    const { clock } = this.#options;
    if (this.#immediate !== undefined || this.#collecting !== undefined) return;
    const now = clock.now();
    if (now - this.#handedOverAt >= COLLECT_MS || now - this.#inputAt < ECHO_MS) {
      this.#immediate = setImmediate(() => {
        this.#handOver();
      });
    } else {
      this.#collecting = clock.after(COLLECT_MS, () => {
        this.#handOver();
      });
    }
  }

  #handOver(): void {
    this.#unschedule();
    if (this.#ended || this.#collectedBytes === 0) return;
    this.#collectedBytes = 0;
    this.#handedOverAt = this.#options.clock.now();
    this.#options.onBatch();
  }

  #unschedule(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#collecting?.cancel();
    this.#collecting = undefined;
  }

  #data(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#collectedBytes += bytes.length;
    if (this.#mark === undefined) {
      this.#options.onData(bytes);
      return;
    }
    const { output, found } = this.#mark.filter.feed(bytes);
    if (output.length > 0) this.#options.onData(output);
    if (found) this.#end();
  }

  /** Reads what the kernel holds now: after the stream has ended only this does. */
  #poll(): void {
    if (this.#ended || this.#paused || this.#stream !== undefined) return;
    this.#timer?.cancel();
    for (;;) {
      let length: number;
      try {
        length = readSync(this.#options.ioFd, scratch, 0, scratch.length, null);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') break;
        length = 0;
      }
      if (length === 0) {
        // No process has the slave side open. While the process lives it may open it again.
        if (this.#processExited) {
          this.#end();
          return;
        }
        break;
      }
      this.#pollMs = POLL_MIN_MS;
      this.#data(scratch.subarray(0, length));
      this.#handOver();
      // Re-read: `#data` may have ended or paused us, which the type checker cannot see.
      if (this.#isIdle()) return;
    }
    if (this.#processExited && this.#mark === undefined) {
      this.#timer = this.#options.clock.after(HELD_OPEN_MS, () => this.#markEnd());
      return;
    }
    this.#timer = this.#options.clock.after(this.#pollMs, () => this.#poll());
    this.#pollMs = this.#mark === undefined ? Math.min(this.#pollMs * 2, POLL_MAX_MS) : POLL_MIN_MS;
  }

  #isIdle(): boolean {
    return this.#ended || this.#paused;
  }

  /** Digits only, which no output flag of a terminal changes on the way. */
  #markEnd(): void {
    if (this.#ended) return;
    let slaveFd: number;
    try {
      slaveFd = openSync(
        this.#options.slavePath,
        constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK,
      );
    } catch {
      this.#lastRead();
      return;
    }
    let digits = '';
    for (let count = 0; count < 8; count += 1) digits += String(randomInt(1e5, 1e6));
    const mark = Buffer.from(digits, 'latin1');
    this.#mark = { slaveFd, filter: new MarkerFilter(mark), unsent: mark };
    this.#writeMark(this.#options.clock.now() + MARK_MS);
  }

  #writeMark(deadline: number): void {
    const mark = this.#mark;
    if (mark === undefined || this.#ended) return;
    try {
      mark.unsent = mark.unsent.subarray(writeSync(mark.slaveFd, mark.unsent));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        this.#lastRead();
        return;
      }
    }
    if (this.#stream === undefined) this.#poll();
    if (this.#options.clock.now() > deadline) {
      this.#lastRead();
      return;
    }
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(POLL_MIN_MS, () => {
      this.#writeMark(deadline);
    });
  }

  /** The end cannot be marked: take what is there and leave it at that. */
  #lastRead(): void {
    this.#handOver();
    try {
      for (;;) {
        const length = readSync(this.#options.ioFd, scratch, 0, scratch.length, null);
        if (length === 0) break;
        this.#data(scratch.subarray(0, length));
        this.#handOver();
      }
    } catch {
      // EAGAIN or EIO: nothing is left.
    }
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    const rest = this.#mark?.filter.flush();
    if (rest !== undefined && rest.length > 0) this.#options.onData(rest);
    this.close();
    this.#options.onEnd();
  }

  #unmark(): void {
    if (this.#mark === undefined) return;
    closeSync(this.#mark.slaveFd);
    this.#mark = undefined;
  }
}
