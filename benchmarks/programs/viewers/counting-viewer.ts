import { wallNow } from '../../harness/index.js';
import { deferred, limits, type ByteChannel } from '../../../src/shared/common/index.js';
import {
  decodeAgentFrame,
  encodeClientFrame,
  TERMINAL_PROTOCOL_VERSION,
  type TerminalSettings,
  type TerminalSize,
} from '../../../src/shared/common/wire/index.js';

export interface WatchOptions {
  readonly wantsType: boolean;
  readonly settings?: TerminalSettings;
  /** Output taken beyond what is acknowledged. Default: that of every client. */
  readonly window?: number;
}

/** Small progress is acknowledged together, for all viewers of the process. */
const slow = new Set<CountingViewer>();
let timer: NodeJS.Timeout | undefined;

/** One viewer of one terminal that counts what it is sent and checks that nothing is missing that was not stated. */
export class CountingViewer {
  /** Bytes of output that came. */
  received = 0;
  /** Bytes that were stated as missing. */
  missed = 0;
  /** Holes and overlaps in the log that nobody stated. */
  defects = 0;
  /** When the last output came, as of `wallNow`. */
  lastAt = 0;
  /** Resolves when it may be counted; rejects if it is refused. */
  readonly attached: Promise<void>;
  /** Resolves when the program has ended, or the channel. */
  readonly ended: Promise<void>;
  readonly #channel: ByteChannel;
  readonly #window: number;
  readonly #attached = deferred<void>();
  readonly #ended = deferred<void>();
  #next = 0;
  #acked = 0;
  #inputSeq = 0;

  constructor(
    channel: ByteChannel,
    {
      wantsType,
      settings = {},
      window = limits.TERMINAL_WINDOW_BYTES,
      size,
      clientId,
    }: WatchOptions & { readonly size: TerminalSize; readonly clientId: Uint8Array },
  ) {
    this.#channel = channel;
    this.#window = window;
    this.attached = this.#attached.promise;
    this.ended = this.#ended.promise;
    this.#attached.promise.catch(() => undefined);
    channel.start({
      message: (bytes) => {
        channel.consumed(bytes.length);
        this.#frame(bytes);
      },
      credit: () => undefined,
      end: () => {
        this.#end(new Error('the channel ended'));
      },
    });
    channel.send(
      encodeClientFrame({
        type: 'attach',
        version: TERMINAL_PROTOCOL_VERSION,
        wantsType,
        epoch: undefined,
        offset: undefined,
        size,
        window,
        clientId,
        settings,
      }),
    );
  }

  /** An output frame of `length` bytes came; what is in it was not looked at. */
  output(offset: number, nextOffset: number, length: number): void {
    this.#channel.consumed(length);
    if (offset !== this.#next) this.defects += 1;
    this.received += nextOffset - offset;
    this.lastAt = wallNow();
    this.#progress(nextOffset);
  }

  /** Types `text`. */
  type(text: string): void {
    const bytes = Buffer.from(text);
    this.#channel.send(encodeClientFrame({ type: 'input', seq: this.#inputSeq, bytes }));
    this.#inputSeq += bytes.length;
  }

  resize(size: TerminalSize): void {
    this.#channel.send(encodeClientFrame({ type: 'resize', size }));
  }

  detach(): void {
    slow.delete(this);
    this.#channel.close();
  }

  /** For the timer. */
  acknowledge(): void {
    slow.delete(this);
    if (this.#next === this.#acked) return;
    this.#acked = this.#next;
    this.#channel.send(
      encodeClientFrame({ type: 'ack', offset: this.#next, window: this.#window }),
    );
  }

  #progress(next: number): void {
    this.#next = next;
    if (next - this.#acked >= this.#window / 4) {
      this.acknowledge();
      return;
    }
    slow.add(this);
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const viewer of slow) viewer.acknowledge();
    }, limits.TERMINAL_ACK_MS).unref();
  }

  #frame(bytes: Uint8Array): void {
    const frame = decodeAgentFrame(bytes);
    switch (frame.type) {
      case 'attached':
        this.#next = frame.offset;
        this.#acked = frame.offset;
        this.#inputSeq = frame.inputSeq;
        this.#attached.resolve();
        return;
      case 'output':
        // Too short for the fast way: an empty one does not exist.
        this.output(frame.offset, frame.nextOffset, 0);
        return;
      case 'gap':
        if (frame.from !== this.#next) this.defects += 1;
        this.missed += frame.to - frame.from;
        this.#progress(frame.to);
        return;
      case 'snapshot':
        if (frame.offset > this.#next) this.#progress(frame.offset);
        return;
      case 'error':
        this.#end(new Error(frame.message));
        return;
      case 'exit':
        this.#end(new Error('the program ended'));
        return;
      default:
        return;
    }
  }

  #end(reason: Error): void {
    slow.delete(this);
    this.#attached.reject(reason);
    this.#ended.resolve();
  }
}
