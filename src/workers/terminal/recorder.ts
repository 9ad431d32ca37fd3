import type { MessagePort } from 'node:worker_threads';
import { assertNever, limits, type Clock, type Timer } from '../../shared/common/index.js';
import type { ExitStatus, TerminalSize } from '../../shared/common/wire/index.js';
import {
  monotonicMs,
  type FeedAnswer,
  type FeedMessage,
  type RecordSpec,
} from '../../shared/node/ports/index.js';
import type { Guard } from './guard.js';
import type { OutputLog } from './output-log.js';
import type { LogPoint, TerminalScreen } from './screen/index.js';
import { ShownInput } from './shown-input.js';
import type { ViewerSet } from './viewer-set.js';

/** Output collects this long, so that a flood is few messages; a tenth of what an eye notices. */
const COLLECT_MS = 5;
/** What a message other than output takes of the queue, beside its bytes. */
const MESSAGE_BYTES = 64;
/** So much is handed over at once: less than the smallest ring, so that none of it is evicted before. */
const PIECE_BYTES = limits.RING_MIN_BYTES / 2;

/** The terminal as its recorder sees it. */
export interface RecorderContext {
  readonly log: OutputLog;
  readonly clock: Clock;
  readonly guard: Guard;
  /** The PTY's master. */
  readonly fd: number;
  readonly screen: Pick<TerminalScreen, 'sizes'>;
  /** Who is told that the terminal is recorded; they know where one begins in the log. */
  readonly viewers: Pick<ViewerSet, 'attachPoint' | typeof Symbol.iterator>;
}

/**
 * A subscriber of the log that hands everything to the worker that writes a recording: a cursor like a
 * viewer's, with a queue bounded in bytes that are handed over and not yet in the file. It never counts
 * for the pace. What falls out of the ring while the queue is full is told as a gap.
 */
export class Recorder {
  readonly #context: RecorderContext;
  readonly #onEnd: () => void;
  readonly #port: MessagePort;
  readonly #shown: ShownInput | undefined;
  #cursor: number;
  /** Handed over and not written yet, in bytes. */
  #queued = 0;
  /** When the oldest byte that was not handed over came. */
  #pendingSince = 0;
  /** Number of the next size change that it has to be told. */
  #sizes: number;
  #timer: Timer | undefined;
  #closed = false;

  /** `onEnd`: the recording has ended, from its side or ours. */
  constructor(
    context: RecorderContext,
    feed: MessagePort,
    { from, input }: RecordSpec,
    onEnd: () => void,
  ) {
    this.#context = context;
    this.#port = feed;
    this.#onEnd = onEnd;
    const point = context.viewers.attachPoint(from);
    this.#cursor = point.gap?.from ?? point.offset;
    this.#sizes = point.sizes;
    this.#shown = input
      ? new ShownInput({
          fd: context.fd,
          onShown: (at, bytes) => {
            this.#collect();
            if (this.#isFull) return;
            this.#queued += bytes.length + MESSAGE_BYTES;
            this.#send({ type: 'input', at, bytes });
          },
        })
      : undefined;
    const { size, sizes } = point;
    this.#send({ type: 'begin', at: monotonicMs(), offset: this.#cursor, size, sizes });
    this.#skipTo(point);
  }

  start(): void {
    this.#port.on('message', (answer: FeedAnswer) => {
      this.#context.guard(() => {
        this.#receive(answer);
      });
    });
    this.#port.on('close', () => {
      this.close();
    });
    this.#pendingSince = monotonicMs();
    this.#collect();
  }

  /** `count` bytes were appended to the log. */
  outputAdded(count: number): void {
    if (this.#timer === undefined) this.#pendingSince = monotonicMs();
    if (this.#shown?.isWaiting === true) this.#shown.output(monotonicMs(), this.#newest(count));
    if (this.#context.log.head - this.#cursor >= PIECE_BYTES) {
      this.#collect();
      return;
    }
    this.#timer ??= this.#context.clock.after(COLLECT_MS, () => {
      this.#collect();
    });
  }

  /** A change was added to the log of sizes. */
  sizeChanged(): void {
    this.#collect();
  }

  typed(bytes: Uint8Array): void {
    this.#shown?.typed(monotonicMs(), bytes);
  }

  /** The log is complete: all that is left of it, whatever is queued, and the exit. */
  exited(exit: ExitStatus): void {
    this.#queued = Number.NEGATIVE_INFINITY;
    this.#collect();
    this.#send({ type: 'exit', at: monotonicMs(), exit });
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#port.close();
    this.#onEnd();
  }

  #newest(count: number): Uint8Array {
    const { log } = this.#context;
    const bytes = new Uint8Array(Math.min(count, log.head - log.foldedTo));
    log.copy(log.head - bytes.length, log.head, bytes, 0);
    return bytes;
  }

  #receive(answer: FeedAnswer): void {
    if (this.#closed) return;
    switch (answer.type) {
      case 'written':
        this.#queued -= answer.bytes;
        this.#collect();
        return;
      case 'finish':
        this.#collect();
        this.close();
        return;
      default:
        assertNever(answer);
    }
  }

  #collect(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { log, viewers } = this.#context;
    const { sizes } = this.#context.screen;
    // Sizes in the order of the log: output up to a change, the change, and what was written for it.
    while (!this.#isFull) {
      if (this.#cursor < log.foldedTo || this.#sizes < sizes.oldest) {
        this.#skipTo(viewers.attachPoint(this.#cursor));
        continue;
      }
      const change = sizes.at(this.#sizes);
      const end = Math.min(log.head, change?.offset ?? log.head);
      if (this.#cursor < end)
        this.#handOver(Math.min(end, this.#cursor + limits.OUTPUT_FRAME_BYTES));
      else if (change === undefined) return;
      else this.#handOverSize(change.size);
    }
  }

  #handOver(to: number): void {
    const bytes = new Uint8Array(to - this.#cursor);
    this.#context.log.copy(this.#cursor, to, bytes, 0);
    this.#queued += bytes.length;
    this.#send({ type: 'output', at: this.#pendingSince, offset: this.#cursor, bytes }, bytes);
    this.#cursor = to;
    this.#pendingSince = monotonicMs();
  }

  #handOverSize(size: TerminalSize): void {
    this.#queued += MESSAGE_BYTES;
    this.#send({ type: 'size', at: monotonicMs(), number: this.#sizes, size });
    this.#sizes += 1;
  }

  /** Goes on at `point`: tells what is lost, and what the screen shows there. */
  #skipTo({ offset, size, sizes, snapshot }: LogPoint): void {
    const at = monotonicMs();
    if (offset > this.#cursor) this.#send({ type: 'gap', at, to: offset });
    this.#cursor = offset;
    this.#sizes = sizes;
    if (snapshot === undefined) return;
    // A copy of our own, since what goes to another thread is gone here.
    const bytes = new Uint8Array(snapshot);
    this.#queued += bytes.length;
    this.#send({ type: 'snapshot', at, size, sizes, bytes }, bytes);
  }

  get #isFull(): boolean {
    return this.#queued >= limits.RECORDING_QUEUE_BYTES;
  }

  #send(message: FeedMessage, owned?: Uint8Array<ArrayBuffer>): void {
    if (this.#closed) return;
    this.#port.postMessage(message, owned === undefined ? [] : [owned.buffer]);
  }
}
