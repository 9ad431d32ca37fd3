import { HoldfastError } from '../errors.js';

/** A piece of input with its position. */
export interface InputPiece {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/**
 * What was typed and is not known to have reached the terminal. Positions count the bytes of this
 * client's input; the agent drops what it has seen, so sending again after a lost channel is safe.
 * Invariant: `#base <= #sent <= #base + #length`, and chunks hold exactly `#base` to its end.
 */
export class InputLog {
  readonly #bound: number;
  #chunks: Uint8Array[] = [];
  #length = 0;
  /** Position of the first byte kept. */
  #base = 0;
  /** Sent on the present channel up to here. */
  #sent = 0;
  /** Sent on any channel up to here: these bytes may have arrived. */
  #everSent = 0;
  /** The agent takes input up to here; before an attach nothing. */
  #limit = 0;

  /** @param bound Bytes kept at most. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  /** Bytes that {@link push} would take now. */
  get room(): number {
    return this.#bound - this.#length;
  }

  /** Keeps a copy of `bytes`. False, and nothing kept, if they do not fit. */
  push(bytes: Uint8Array): boolean {
    if (bytes.length > this.room) return false;
    if (bytes.length > 0) this.#chunks.push(new Uint8Array(bytes));
    this.#length += bytes.length;
    return true;
  }

  /** Forgets all that is kept. Returns how many bytes that were. */
  clear(): number {
    const dropped = this.#length;
    this.#drop(dropped);
    return dropped;
  }

  /**
   * A new channel is attached, and the agent expects byte `inputSeq` next. Returns how many bytes had
   * to be given up.
   *
   * `first`: nothing was ever sent, so what waits is numbered from `inputSeq`. `same`: the log of before;
   * bytes the agent has are dropped, the rest is sent again. If the agent's count does not fit ours, it
   * has forgotten us: then bytes that may have arrived are given up, for a command typed twice does more
   * harm than one not typed. `new`: another program runs there, and none of it was meant for that.
   */
  resume(inputSeq: number, window: number, log: 'first' | 'same' | 'new'): number {
    let dropped = 0;
    const end = this.#base + this.#length;
    if (log === 'same' && inputSeq >= this.#base && inputSeq <= end) {
      this.#drop(inputSeq - this.#base);
    } else {
      if (log === 'new') dropped = this.clear();
      else if (log === 'same') {
        dropped = Math.max(0, this.#everSent - this.#base);
        this.#drop(dropped);
      }
      this.#base = inputSeq;
      this.#everSent = inputSeq;
    }
    this.#sent = this.#base;
    this.#limit = inputSeq + window;
    return dropped;
  }

  /** No channel: nothing may be sent until the next {@link resume}. */
  suspend(): void {
    this.#limit = 0;
  }

  /**
   * The agent has all before `seq` and takes up to `seq + window`.
   * @throws {HoldfastError} ERR_PROTOCOL if it acknowledges what was not sent.
   */
  ack(seq: number, window: number): void {
    if (seq > this.#sent) throw new HoldfastError('ERR_PROTOCOL', 'input acknowledged before sent');
    if (seq > this.#base) this.#drop(seq - this.#base);
    this.#limit = seq + window;
  }

  /** The next piece to send, of at most `most` bytes; it then counts as sent. Absent: nothing may be. */
  next(most: number): InputPiece | undefined {
    const end = Math.min(this.#base + this.#length, this.#limit, this.#sent + most);
    const count = end - this.#sent;
    if (count <= 0) return undefined;
    const seq = this.#sent;
    const bytes = this.#copy(seq - this.#base, count);
    this.#sent = end;
    this.#everSent = Math.max(this.#everSent, end);
    return { seq, bytes };
  }

  #copy(from: number, count: number): Uint8Array {
    const out = new Uint8Array(count);
    let at = 0;
    let skip = from;
    for (const chunk of this.#chunks) {
      if (skip >= chunk.length) {
        skip -= chunk.length;
        continue;
      }
      const part = chunk.subarray(skip, skip + count - at);
      out.set(part, at);
      at += part.length;
      skip = 0;
      if (at === count) break;
    }
    return out;
  }

  #drop(count: number): void {
    let left = count;
    let whole = 0;
    for (const chunk of this.#chunks) {
      if (chunk.length > left) break;
      left -= chunk.length;
      whole += 1;
    }
    this.#chunks.splice(0, whole);
    const first = this.#chunks[0];
    if (left > 0 && first !== undefined) this.#chunks[0] = first.subarray(left);
    this.#base += count;
    this.#length -= count;
    this.#sent = Math.max(this.#sent, this.#base);
  }
}
