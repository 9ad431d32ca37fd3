import { HoldfastError } from '../errors.js';
import type { Epoch } from '../ids.js';

/** Bytes handed to the consumer and not yet processed by it. */
interface Delivered {
  /** Which log they belong to; acknowledgements are for the present one only. */
  readonly log: number;
  /** Log position behind them. */
  end: number;
  remaining: number;
  /** A snapshot has a length of its own: it moves the position only when all of it is processed. */
  readonly snapshotFrom?: number;
}

/**
 * How far the log of the terminal has been received and processed: continuity on one side,
 * acknowledgements on the other. Knows nothing of channels.
 */
export class OutputLog {
  readonly #window: number;
  readonly #delivered: Delivered[] = [];
  #outstanding = 0;
  #log = 0;
  #epoch: Epoch | undefined;
  /** The first byte not received. */
  #next = 0;
  /** Where the present channel began; acknowledgements never name an earlier position. */
  #start = 0;

  /** @param window Bytes that may be delivered beyond what is processed. */
  constructor(window: number) {
    this.#window = window;
  }

  /** The log so far. Absent: no attach has succeeded yet. */
  get position(): { readonly epoch: Epoch; readonly offset: number } | undefined {
    return this.#epoch === undefined ? undefined : { epoch: this.#epoch, offset: this.#next };
  }

  /** Bytes that the consumer has and has not processed, of this log and of earlier ones. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** What to say in `attach`. Smaller while old output is still unprocessed, so that a link that keeps
   * dropping under a stalled consumer does not pile up a window each time. */
  get attachWindow(): number {
    return Math.max(0, this.#window - this.#outstanding);
  }

  /** Output is to begin at `offset` of the log `epoch`. */
  attached(epoch: Epoch, offset: number): 'first' | 'same' | 'new' {
    const log = this.#epoch === undefined ? 'first' : this.#epoch === epoch ? 'same' : 'new';
    if (log !== 'same') {
      this.#log += 1;
      this.#epoch = epoch;
      this.#next = offset;
    }
    this.#start = Math.max(offset, this.#next);
    return log;
  }

  /**
   * The part of an output frame that is new. Absent: all of it was there before.
   * @throws {HoldfastError} ERR_PROTOCOL if bytes are missing before it, or it contradicts itself.
   */
  output(
    offset: number,
    nextOffset: number,
    bytes: Uint8Array,
  ): { readonly offset: number; readonly bytes: Uint8Array } | undefined {
    if (nextOffset - offset !== bytes.length) {
      throw new HoldfastError('ERR_PROTOCOL', 'output of another length than stated');
    }
    if (offset > this.#next) {
      throw new HoldfastError(
        'ERR_PROTOCOL',
        `output at ${String(offset)} where ${String(this.#next)} was due, without a gap`,
      );
    }
    if (nextOffset <= this.#next) return undefined;
    const fresh = { offset: this.#next, bytes: bytes.subarray(this.#next - offset) };
    this.#next = nextOffset;
    this.#deliver(fresh.bytes.length);
    return fresh;
  }

  /**
   * The part of a stated gap that is news. Absent: it was known.
   * @throws {HoldfastError} ERR_PROTOCOL if bytes before it are missing as well.
   */
  gap(from: number, to: number): { readonly from: number; readonly to: number } | undefined {
    if (to < from || from > this.#next) {
      throw new HoldfastError('ERR_PROTOCOL', 'gap that does not follow the output before it');
    }
    if (to <= this.#next) return undefined;
    const news = { from: this.#next, to };
    this.#next = to;
    const last = this.#delivered.at(-1);
    // Acknowledged with what came before it; with nothing waiting, at once.
    if (last?.log === this.#log) {
      this.#delivered.push({ log: this.#log, end: to, remaining: 0 });
    }
    return news;
  }

  /** A snapshot of `length` bytes stands for everything before `offset`. */
  snapshot(offset: number, length: number): void {
    const from = this.#next;
    this.#next = Math.max(this.#next, offset);
    if (length === 0) return;
    this.#delivered.push({
      log: this.#log,
      end: this.#next,
      remaining: length,
      snapshotFrom: from,
    });
    this.#outstanding += length;
  }

  /** The consumer is done with the oldest `count` bytes that it was given. */
  processed(count: number): void {
    let left = Math.min(count, this.#outstanding);
    this.#outstanding -= left;
    for (let first = this.#delivered[0]; first !== undefined; first = this.#delivered[0]) {
      const part = Math.min(first.remaining, left);
      first.remaining -= part;
      left -= part;
      if (first.remaining > 0) break;
      this.#delivered.shift();
    }
  }

  /** What to acknowledge now. */
  acknowledgement(): { readonly offset: number; readonly window: number } {
    const offset = Math.max(this.#start, this.#processedTo());
    const limit = this.#next + this.attachWindow;
    return { offset, window: Math.max(0, limit - offset) };
  }

  #processedTo(): number {
    const first = this.#delivered.find(({ log }) => log === this.#log);
    if (first === undefined) return this.#next;
    return first.snapshotFrom ?? first.end - first.remaining;
  }

  #deliver(count: number): void {
    this.#outstanding += count;
    const last = this.#delivered.at(-1);
    if (
      last?.log === this.#log &&
      last.snapshotFrom === undefined &&
      last.end === this.#next - count
    ) {
      last.end = this.#next;
      last.remaining += count;
      return;
    }
    this.#delivered.push({ log: this.#log, end: this.#next, remaining: count });
  }
}
