import type {
  DataChannelNames,
  StackEvents,
  StreamStack,
} from '../../../src/shared/common/data-channels/index.js';
import { StreamIds } from '../../../src/shared/common/data-channels/index.js';
import type { OwnedBytes } from '../../../src/shared/common/index.js';
import type { SeededRandom } from '../random.js';

interface Message {
  readonly bytes: OwnedBytes;
  readonly isText: boolean;
}

type Packet =
  | { readonly type: 'open'; readonly names: DataChannelNames }
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'reset' };

interface Incoming {
  /** Absent: the application has not been told of the stream yet. */
  attached: boolean;
  names: DataChannelNames | undefined;
  readonly messages: Message[];
  reset: boolean;
}

/**
 * A stack as careless as libdatachannel is: messages that come before the application has taken a stream up
 * may be swapped, and are lost if the stream is reset meanwhile; a reset may overtake the last messages on
 * their way to the application; and streams overtake each other. A careful one keeps what it got.
 */
export class CarelessStack implements StreamStack {
  readonly waits: boolean;
  readonly copies = false;
  readonly isIdle = true;
  readonly hasRoom = true;
  readonly partBytes: number | undefined;
  peer!: CarelessStack;
  isClosed = false;
  /** All bytes that were sent on a stream, by its label. */
  readonly sent = new Map<string, number[]>();
  /** Text messages that were sent, and how long each binary one was. */
  readonly texts: string[] = [];
  readonly lengths: number[] = [];
  readonly #labels = new Map<number, string>();
  readonly #events: StackEvents;
  readonly #random: SeededRandom;
  readonly #ids: StreamIds;
  readonly #outgoing = new Map<number, Packet[]>();
  readonly #incoming = new Map<number, Incoming>();
  /** Streams that this end has ended, and those that the other has. */
  readonly #ended = new Set<number>();
  #connected = false;

  constructor(
    events: StackEvents,
    options: {
      readonly random: SeededRandom;
      readonly parity: 0 | 1;
      readonly careless: boolean;
      readonly partBytes?: number | undefined;
    },
  ) {
    this.partBytes = options.partBytes;
    this.#events = events;
    this.#random = options.random;
    this.#ids = new StreamIds(options.parity);
    this.waits = options.careless;
  }

  open(names: DataChannelNames): number {
    const id = this.#ids.take((each) => this.#incoming.has(each) || this.#outgoing.has(each));
    this.#incoming.set(id, { attached: true, names: undefined, messages: [], reset: false });
    this.#labels.set(id, names.label);
    this.#queue(id, { type: 'open', names });
    return id;
  }

  send(id: number, bytes: OwnedBytes): void {
    if (this.#ended.has(id)) return;
    const label = this.#labels.get(id) ?? '';
    this.lengths.push(bytes.length);
    this.sent.set(label, [...(this.sent.get(label) ?? []), ...bytes]);
    this.#queue(id, { type: 'message', message: { bytes, isText: false } });
  }

  sendText(id: number, text: string): void {
    if (this.#ended.has(id)) return;
    this.texts.push(text);
    const bytes = new TextEncoder().encode(text);
    this.#queue(id, { type: 'message', message: { bytes, isText: true } });
  }

  end(id: number): void {
    if (this.#ended.has(id)) return;
    this.#ended.add(id);
    this.#queue(id, { type: 'reset' });
    const stream = this.#incoming.get(id);
    if (stream === undefined) return;
    // As an RTCDataChannel: what still comes is dropped.
    if (this.waits) stream.messages.length = 0;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  /** One thing happens, at random. Returns whether there was anything left to happen. */
  step(): boolean {
    if (!this.#connected) {
      this.#connected = true;
      this.#events.connected();
      return true;
    }
    const actions = [...this.#deliveries(), ...this.#dispatches()];
    if (actions.length === 0 || this.isClosed) {
      if (!this.isClosed && this.peer.isClosed) {
        this.#events.closed(undefined);
        return true;
      }
      return false;
    }
    this.#random.pick(actions)();
    return true;
  }

  #queue(id: number, packet: Packet): void {
    const queue = this.#outgoing.get(id) ?? [];
    queue.push(packet);
    this.#outgoing.set(id, queue);
  }

  /** What the network may do: hand the next packet of any stream to the other end. */
  #deliveries(): (() => void)[] {
    return [...this.#outgoing].map(([id, queue]) => () => {
      const packet = queue.shift();
      if (queue.length === 0) this.#outgoing.delete(id);
      if (packet !== undefined) this.peer.#arrive(id, packet);
    });
  }

  #arrive(id: number, packet: Packet): void {
    const stream = this.#incoming.get(id);
    if (packet.type === 'open') {
      this.#ended.delete(id);
      this.#incoming.set(id, {
        attached: false,
        names: packet.names,
        messages: [],
        reset: false,
      });
    } else if (stream === undefined) {
      return;
    } else if (packet.type === 'reset') {
      stream.reset = true;
      if (this.waits && !stream.attached) stream.messages.length = 0;
    } else if (!this.waits || !this.#ended.has(id)) {
      stream.messages.push(packet.message);
      if (this.waits && !stream.attached && this.#random.next() < 0.5) stream.messages.reverse();
    }
  }

  /** What the application may see next. */
  #dispatches(): (() => void)[] {
    return [...this.#incoming].flatMap(([id, stream]) => {
      if (!stream.attached) return [() => this.#attach(id, stream)];
      const actions: (() => void)[] = [];
      if (stream.messages.length > 0)
        actions.push(() => {
          const message = stream.messages.shift();
          if (message === undefined) return;
          if (message.isText) this.#events.text(id, message.bytes);
          else this.#events.message(id, message.bytes);
        });
      if (stream.reset && (this.waits || stream.messages.length === 0))
        actions.push(() => {
          this.#incoming.delete(id);
          this.#events.ended(id);
          this.#events.freed(id);
          this.#ended.delete(id);
        });
      return actions;
    });
  }

  #attach(id: number, stream: Incoming): void {
    stream.attached = true;
    this.#labels.set(id, stream.names?.label ?? '');
    if (stream.names !== undefined) this.#events.opened(id, stream.names);
  }
}
