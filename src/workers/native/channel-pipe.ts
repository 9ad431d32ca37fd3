import type {
  ByteChannel,
  ChannelEnd,
  ErrorRecord,
  OwnedBytes,
} from '../../shared/common/index.js';

/** Why a channel ends whose other half was cut off. */
const LOST: ErrorRecord = {
  code: 'ERR_PEER_LOST',
  message: 'the connection to the peer was lost',
};

/**
 * Two channels as one, with credit from end to end: what one end has not consumed is not taken from the other.
 * Each way holds what waits for credit, which is no more than the credit that this end gave.
 */
export class ChannelPipe {
  readonly #first: ByteChannel;
  readonly #second: ByteChannel;
  readonly #there: Flow;
  readonly #back: Flow;

  /** `onEnd` is called once, when the first has ended. */
  constructor(first: ByteChannel, second: ByteChannel, onEnd: () => void) {
    this.#first = first;
    this.#second = second;
    this.#there = new Flow(first, second);
    this.#back = new Flow(second, first);
    this.#onEnd = onEnd;
  }

  readonly #onEnd: () => void;

  start(): void {
    this.#second.start({
      message: (bytes) => {
        this.#back.push(bytes as OwnedBytes);
      },
      credit: () => {
        this.#there.pump();
      },
      end: (end) => {
        this.#back.end(end);
      },
    });
    this.#first.start({
      message: (bytes) => {
        this.#there.push(bytes as OwnedBytes);
      },
      credit: () => {
        this.#back.pump();
      },
      end: (end) => {
        this.#onEnd();
        this.#there.end(end);
      },
    });
  }

  /** From now on nothing that waits goes either way. */
  cut(): void {
    this.#there.cut();
    this.#back.cut();
    this.#first.close();
    this.#second.close();
  }
}

/** One way of a pipe. */
class Flow {
  readonly #from: ByteChannel;
  readonly #to: ByteChannel;
  readonly #queue: OwnedBytes[] = [];
  #end: ChannelEnd | undefined;
  #isCut = false;

  constructor(from: ByteChannel, to: ByteChannel) {
    this.#from = from;
    this.#to = to;
  }

  push(bytes: OwnedBytes): void {
    if (this.#isCut) return;
    this.#queue.push(bytes);
    this.pump();
  }

  end(end: ChannelEnd): void {
    this.#end = end;
    this.pump();
  }

  pump(): void {
    if (this.#isCut) return;
    while (this.#queue.length > 0 && this.#to.credit > 0) {
      const bytes = this.#queue.shift() as OwnedBytes;
      const { length } = bytes;
      this.#to.send(bytes);
      this.#from.consumed(length);
    }
    if (this.#end === undefined || this.#queue.length > 0) return;
    this.#to.close(this.#end.type === 'lost' ? LOST : this.#end.error);
  }

  cut(): void {
    this.#isCut = true;
    this.#queue.length = 0;
  }
}
