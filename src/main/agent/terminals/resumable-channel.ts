import type {
  ByteChannel,
  ByteChannelHandlers,
  ChannelEnd,
  OwnedBytes,
} from '../../../shared/common/index.js';
import { PortChannel, type PortHandle } from '../../../shared/node/ports/index.js';

/**
 * The channel of an SSH session's PTY: a port to the terminal's worker that can be replaced when that worker
 * dies, without its user noticing more than a pause. It knows how many bytes it has received, so the next
 * worker goes on at the next one; and it keeps input until the PTY has it, so that it can be sent again.
 */
export class ResumableChannel implements ByteChannel {
  #inner: PortChannel | undefined;
  #handlers: ByteChannelHandlers | undefined;
  #received = 0;
  /** Delivered by an earlier port and not consumed yet: the present one must not be credited for it. */
  #stale = 0;
  #unconsumed = 0;
  /** Input that may not have reached the PTY; `#keptFrom` is the position of its first byte. */
  #kept: Uint8Array[] = [];
  #keptFrom = 0;
  #closed = false;
  #ended = false;
  readonly #rawInput: () => number;

  /** @param rawInput how much input has reached the PTY, read from the terminal's status. */
  constructor(rawInput: () => number) {
    this.#rawInput = rawInput;
  }

  /** Log offset of the first byte that it lacks. */
  get received(): number {
    return this.#received;
  }

  get credit(): number {
    return this.#inner?.credit ?? 0;
  }

  /** Goes on over a further port. Input that did not reach the PTY is sent first. */
  connect(handle: PortHandle): void {
    const inner = new PortChannel(handle);
    this.#inner = inner;
    this.#stale = this.#unconsumed;
    inner.start({
      message: (bytes) => {
        this.#received += bytes.byteLength;
        this.#unconsumed += bytes.byteLength;
        this.#handlers?.message(bytes);
      },
      credit: () => {
        this.#forgetWritten();
        this.#handlers?.credit();
      },
      end: (end) => {
        this.#innerEnded(inner, end);
      },
    });
    this.#forgetWritten();
    for (const bytes of this.#kept) inner.send(bytes.slice());
    if (this.#closed) inner.close();
    else if (inner.credit > 0) this.#handlers?.credit();
  }

  start(handlers: ByteChannelHandlers): void {
    this.#handlers = handlers;
  }

  send(bytes: OwnedBytes): void {
    if (this.#closed || this.#ended) return;
    this.#kept.push(bytes.slice());
    this.#inner?.send(bytes);
  }

  consumed(bytes: number): void {
    this.#unconsumed -= bytes;
    const stale = Math.min(this.#stale, bytes);
    this.#stale -= stale;
    this.#inner?.consumed(bytes - stale);
  }

  giveBack(bytes: OwnedBytes): void {
    this.#inner?.giveBack(bytes);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inner?.close();
  }

  /** No further worker will come: the terminal was given up. */
  giveUp(): void {
    this.#end({ type: 'lost' });
  }

  #innerEnded(inner: PortChannel, end: ChannelEnd): void {
    if (this.#inner !== inner) return;
    this.#inner = undefined;
    if (end.type === 'closed') this.#end(end);
  }

  #end(end: ChannelEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#kept = [];
    this.#handlers?.end(end);
  }

  #forgetWritten(): void {
    const written = this.#rawInput();
    while (this.#keptFrom < written) {
      const first = this.#kept[0];
      if (first === undefined) return;
      const done = Math.min(first.length, written - this.#keptFrom);
      this.#keptFrom += done;
      if (done === first.length) this.#kept.shift();
      else this.#kept[0] = first.subarray(done);
    }
  }
}
