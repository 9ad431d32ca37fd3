import type {
  ByteChannel,
  ByteChannelHandlers,
  ChannelEnd,
  ErrorRecord,
  OwnedBytes,
} from '../../src/shared/common/index.js';

type Message =
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'credit'; readonly bytes: number }
  | { readonly type: 'close'; readonly error: ErrorRecord | undefined };

/** One end of a {@link memoryChannels} pair. */
export class MemoryChannel implements ByteChannel {
  peer!: MemoryChannel;
  #credit: number;
  #handlers: ByteChannelHandlers | undefined;
  #inbox: Message[] = [];
  #sentClose = false;
  #ended = false;

  constructor(credit: number) {
    this.#credit = credit;
  }

  get credit(): number {
    return this.#credit;
  }

  /** Messages on their way to this end. */
  get waiting(): number {
    return this.#inbox.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  start(handlers: ByteChannelHandlers): void {
    this.#handlers = handlers;
  }

  send(bytes: OwnedBytes): void {
    if (this.#sentClose || this.#ended) return;
    this.#credit -= bytes.length;
    this.peer.#inbox.push({ type: 'data', bytes });
  }

  consumed(bytes: number): void {
    if (!this.#ended) this.peer.#inbox.push({ type: 'credit', bytes });
  }

  close(error?: ErrorRecord): void {
    if (this.#sentClose || this.#ended) return;
    this.#sentClose = true;
    this.peer.#inbox.push({ type: 'close', error });
  }

  /** Delivers up to `count` messages to this end. Returns how many. */
  deliver(count = Number.POSITIVE_INFINITY): number {
    let done = 0;
    while (done < count && this.#handlers !== undefined && !this.#ended) {
      const message = this.#inbox.shift();
      if (message === undefined) break;
      done += 1;
      if (message.type === 'data') {
        this.#handlers.message(message.bytes);
      } else if (message.type === 'credit') {
        this.#credit += message.bytes;
        this.#handlers.credit();
      } else {
        this.close();
        this.#end({ type: 'closed', error: message.error });
      }
    }
    return done;
  }

  /** The link breaks: what is on its way is gone, and both ends are told. */
  break(): void {
    for (const end of [this, this.peer]) {
      end.#inbox = [];
      end.#end({ type: 'lost' });
    }
  }

  #end(end: ChannelEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#handlers?.end(end);
  }
}

/** Two ends of a channel whose messages move only when a test delivers them. */
export function memoryChannels(credit = 256 * 1024): [MemoryChannel, MemoryChannel] {
  const a = new MemoryChannel(credit);
  const b = new MemoryChannel(credit);
  a.peer = b;
  b.peer = a;
  return [a, b];
}

/** Delivers in both directions until nothing moves. */
export function settle(channel: MemoryChannel): void {
  while (channel.deliver() + channel.peer.deliver() > 0);
}
