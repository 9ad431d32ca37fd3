import {
  HoldfastError,
  once,
  toErrorRecord,
  type Clock,
  type OwnedBytes,
  type Timer,
} from '../../../common/index.js';
import {
  LINK_PROTOCOL,
  StreamIds,
  type DataChannelNames,
  type StackEvents,
  type StreamStack,
} from '../../../common/data-channels/index.js';
import type { NativeChannel, NativePeer } from './library.js';

export interface NativeStackOptions {
  readonly peer: NativePeer;
  readonly clock: Clock;
  readonly events: StackEvents;
  /** 0: this end is the DTLS client. Asked once it is connected. */
  readonly parity: () => 0 | 1;
}

/** Beyond the streams that channels get, within those that the library has. */
const OPENER_ID = 1_023;
/** A channel of a peer without link is taken up when nothing has arrived for so long, after as many tries at most. */
const SETTLE_MS = 2;
const SETTLE_TURNS = 10;
/**
 * What goes into one packet with all headers. usrsctp, which the library sends by, may not send a message of one stream
 * for seconds while those of another are cut into packets: see ADR 0042.
 */
const PART_BYTES = 1_080;
/** On paths with a shorter round trip it was not seen, and messages of one packet each would halve the rate. */
const FAR_MS = 4;
const RTT_EVERY_MS = 250;
/** What the library tells of a closed channel it tells at once, if ever. */
const ENDED_MS = 1_000;

/**
 * Streams over libdatachannel. Its events come from other threads over a queue for each kind of event of each
 * channel, which is why `waits` is true; ADR 0037 has what goes wrong without.
 */
export class NativeStack implements StreamStack {
  readonly waits = true;
  readonly copies = true;
  readonly #peer: NativePeer;
  readonly #events: StackEvents;
  readonly #clock: Clock;
  readonly #parity: () => 0 | 1;
  /** Kept here until they are gone: the library closes a channel whose object is collected. */
  readonly #channels = new Map<number, NativeChannel>();
  /** Channels whose end will be told. */
  readonly #attached = new WeakSet<NativeChannel>();
  /** Channels that were closed here, each with the timer that forgets it. */
  readonly #ending = new Map<NativeChannel, Timer>();
  /** Channels of which something waits in the library's own queue, which is one for all. */
  readonly #blocked = new Set<number>();
  /** Channels of the other end that came before this one could open any. */
  readonly #early: NativeChannel[] = [];
  #ids: StreamIds | undefined;
  #pathLost = false;
  /** The shortest round trip so far: while much is under way it is longer than the path. Absent: none is known. */
  #rttMs: number | undefined;
  #rttAskedAt = Number.NEGATIVE_INFINITY;
  #state: 'new' | 'connected' | 'closing' | 'closed' = 'new';
  #drained: (() => void) | undefined;

  constructor({ peer, clock, events, parity }: NativeStackOptions) {
    this.#peer = peer;
    this.#clock = clock;
    this.#events = events;
    this.#parity = parity;
  }

  /** Listens to the library; before the handshake. */
  install(): void {
    this.#peer.onIceStateChange((state) => {
      if (state === 'disconnected' || state === 'failed') this.#pathLost = true;
    });
    this.#peer.onStateChange((state) => {
      this.#changeState(state);
    });
    this.#peer.onDataChannel((channel) => {
      if (this.#state === 'new') this.#early.push(channel);
      else this.#receiveChannel(channel);
    });
    this.#createOpener();
  }

  /** Takes nothing more while the library queues: there all channels wait for each other. */
  get hasRoom(): boolean {
    return this.#blocked.size === 0;
  }

  get isIdle(): boolean {
    return this.#blocked.size === 0;
  }

  get partBytes(): number | undefined {
    this.#measure();
    return (this.#rttMs ?? 0) >= FAR_MS ? PART_BYTES : undefined;
  }

  open({ label, protocol }: DataChannelNames): number {
    if (this.#ids === undefined) throw new HoldfastError('ERR_INTERNAL', 'not connected yet');
    const id = this.#ids.take((each) => this.#channels.has(each));
    this.#attach(id, this.#peer.createDataChannel(label, { protocol, id }));
    return id;
  }

  send(id: number, bytes: OwnedBytes): void {
    this.#send(id, (channel) => channel.sendMessageBinary(bytes));
  }

  sendText(id: number, text: string): void {
    this.#send(id, (channel) => channel.sendMessage(text));
  }

  #send(id: number, send: (channel: NativeChannel) => boolean): void {
    const channel = this.#channels.get(id);
    if (channel === undefined) return;
    try {
      if (send(channel)) return;
    } catch {
      // The other end has closed it, and `onClosed` is under way.
      return;
    }
    if (this.#blocked.has(id)) return;
    this.#blocked.add(id);
    channel.onBufferedAmountLow(() => {
      this.#unblock(id);
    });
    // It may have become empty before anybody listened.
    if (channel.bufferedAmount() === 0) this.#unblock(id);
  }

  end(id: number): void {
    const channel = this.#channels.get(id);
    if (channel !== undefined) this.#endChannel(id, channel);
  }

  readonly close = once(async () => {
    this.#state = this.#state === 'closed' ? 'closed' : 'closing';
    this.#blocked.clear();
    for (const channel of this.#early.splice(0)) this.#endChannel(channel.getId(), channel);
    // Each holds the process until its own end is told; the library ends them with the connection.
    for (const [id, channel] of this.#channels) this.#take(id, channel);
    this.#peer.close();
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#resolveIfGone();
    });
  });

  /**
   * A channel that never says a word. Without any, an offer has no section for data; and its opening tells when the
   * library has gone through the channels that were made before it was connected. One that is made in the moment
   * before, after `connected` was told, is opened twice, and the other end takes that for an attack.
   */
  #createOpener(): void {
    const opener = this.#peer.createDataChannel('', { negotiated: true, id: OPENER_ID });
    opener.onOpen(() => {
      this.#connect();
    });
    this.#attach(OPENER_ID, opener);
  }

  #connect(): void {
    if (this.#state !== 'new') return;
    this.#state = 'connected';
    this.#ids = new StreamIds(this.#parity());
    this.#events.connected();
    for (const channel of this.#early.splice(0)) this.#receiveChannel(channel);
  }

  #changeState(state: string): void {
    switch (state) {
      case 'failed':
        this.#events.closed({
          code: 'ERR_PEER_LOST',
          message: 'no path to the other end was found, or the handshake failed',
        });
        return;
      case 'closed': {
        const wasOpen = this.#state === 'connected';
        this.#state = 'closed';
        this.#events.closed(
          wasOpen && !this.#pathLost
            ? undefined
            : { code: 'ERR_PEER_LOST', message: 'the path to the other end was lost' },
        );
        this.#resolveIfGone();
        return;
      }
      default:
        // `disconnected` is followed by `closed`, and `connected` by the opener.
        return;
    }
  }

  #receiveChannel(channel: NativeChannel): void {
    const id = channel.getId();
    if (this.#state !== 'connected') {
      this.#endChannel(id, channel);
      return;
    }
    const names = { label: channel.getLabel(), protocol: channel.getProtocol() };
    this.#channels.set(id, channel);
    if (this.#events.opened(id, names) || names.protocol === LINK_PROTOCOL) {
      this.#take(id, channel);
    } else {
      void this.#takeWhenQuiet(id, channel);
    }
  }

  #take(id: number, channel: NativeChannel): void {
    if (this.#channels.get(id) !== channel || this.#attached.has(channel)) return;
    this.#attach(id, channel);
    this.#forgetIfClosed(id, channel);
  }

  /** One of the other end that was closed before anybody listened for it: nobody will be told. */
  #forgetIfClosed(id: number, channel: NativeChannel): void {
    if (channel.isOpen()) return;
    channel.close();
    this.#forget(id, channel);
  }

  /** The reset goes out after what was sent; then its end is told, unless the other end resets it in this moment. */
  #endChannel(id: number, channel: NativeChannel): void {
    if (!this.#attached.has(channel)) {
      this.#attach(id, channel);
      this.#forgetIfClosed(id, channel);
    }
    channel.close();
    if (this.#channels.get(id) !== channel || this.#ending.has(channel)) return;
    this.#ending.set(
      channel,
      this.#clock.after(ENDED_MS, () => {
        this.#forget(id, channel);
      }),
    );
  }

  /**
   * A peer without link does not wait until it is told. What has come meanwhile is handed over by this thread, what
   * comes meanwhile by another: best is a moment in which nothing comes.
   */
  async #takeWhenQuiet(id: number, channel: NativeChannel): Promise<void> {
    let before = this.#peer.bytesReceived();
    for (let turn = 0; turn < SETTLE_TURNS; turn += 1) {
      await new Promise<void>((resolve) => {
        this.#clock.after(SETTLE_MS, resolve);
      });
      const now = this.#peer.bytesReceived();
      if (now === before) break;
      before = now;
    }
    this.#take(id, channel);
  }

  #attach(id: number, channel: NativeChannel): void {
    this.#channels.set(id, channel);
    this.#attached.add(channel);
    channel.onMessage((message) => {
      this.#receive(id, message);
    });
    channel.onClosed(() => {
      this.#forget(id, channel);
    });
  }

  #receive(id: number, message: string | Buffer | ArrayBuffer): void {
    if (this.#state !== 'connected') return;
    const bytes = owned(message);
    if (bytes.length === 0) return;
    if (typeof message === 'string') this.#events.text(id, bytes);
    else this.#events.message(id, bytes);
  }

  #forget(id: number, channel: NativeChannel): void {
    if (this.#channels.get(id) !== channel) return;
    this.#channels.delete(id);
    this.#ending.get(channel)?.cancel();
    this.#ending.delete(channel);
    // With the connection itself all of its channels close, and that is no word of the other end on them.
    if (this.#state === 'connected' && this.#peer.state() === 'connected') {
      this.#events.ended(id);
      this.#events.freed(id);
    }
    this.#unblock(id);
    this.#resolveIfGone();
  }

  #measure(): void {
    const now = this.#clock.now();
    if (now - this.#rttAskedAt < RTT_EVERY_MS) return;
    this.#rttAskedAt = now;
    const rtt = this.#peer.rtt();
    if (rtt >= 0) this.#rttMs = Math.min(this.#rttMs ?? rtt, rtt);
  }

  #unblock(id: number): void {
    if (!this.#blocked.delete(id) || this.#blocked.size > 0) return;
    try {
      this.#events.room();
    } catch (error) {
      this.#events.closed(toErrorRecord(error));
    }
  }

  #resolveIfGone(): void {
    if (this.#state === 'closed' && this.#channels.size === 0) this.#drained?.();
  }
}

/** What the library hands over is a copy that nobody else has. */
function owned(message: string | Buffer | ArrayBuffer): OwnedBytes {
  if (typeof message === 'string') return new Uint8Array(Buffer.from(message));
  if (message instanceof ArrayBuffer) return new Uint8Array(message);
  const { buffer, byteOffset, byteLength } = message;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : new Uint8Array(message);
}
