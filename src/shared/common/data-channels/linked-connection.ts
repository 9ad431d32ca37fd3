import { assertNever } from '../assert-never.js';
import type { OwnedBytes } from '../byte-channel.js';
import type { Clock } from '../clock.js';
import { deferred } from '../deferred.js';
import { fromErrorRecord, HoldfastError, toErrorRecord, type ErrorRecord } from '../errors.js';
import {
  checkChannelNames,
  FairQueue,
  FramedChannel,
  Heartbeat,
  OpenGate,
  RoomAnnouncer,
  type ChannelHost,
} from '../framing/index.js';
import { once } from '../lifecycle.js';
import {
  CHANNEL_CREDIT_BYTES,
  CHANNEL_UNREAD_BYTES,
  CHANNELS_PER_PEER,
  MESSAGE_BYTES,
  PEER_DRAIN_MS,
} from '../limits.js';
import {
  decodeLink,
  encodeLink,
  LINK_PROTOCOL,
  linkLabel,
  readLinkLabel,
  type LinkFeatures,
  type LinkMessage,
} from './link.js';
import type { DataChannelNames, StackEvents, StreamStack } from './stream-stack.js';
import { Stream, type StreamHost } from './stream.js';

export interface LinkedConnectionOptions<B extends { readonly engine: string }> {
  readonly engine: B['engine'];
  /** The end that made the offer opens the link. */
  readonly role: 'offerer' | 'answerer';
  readonly clock: Clock;
  readonly heartbeatMs?: number | undefined;
  /** What both ends sign; asked for once it stands. */
  readonly binding: () => B;
  readonly stack: (events: StackEvents) => StreamStack;
}

/** Why a connection ended. Absent error: on purpose. */
interface End {
  readonly error?: ErrorRecord | undefined;
}

const PLAIN: LinkFeatures = { handshake: false, waits: false, joins: false };
const GOODBYE_MS = 500;
const DRAIN_POLL_MS = 5;
const NEVER_STOOD: ErrorRecord = { code: 'ERR_PEER_LOST', message: 'the connection never stood' };

/**
 * A connection of WebRTC data channels, the same over every stack: queues, fair turns and credit of our own,
 * an end of a channel that loses nothing whatever the stack does with its last bytes, a heartbeat, bounds on
 * what arrives and is not consumed. Trusts nothing that arrives: what breaks the protocol ends this
 * connection. Runs in peer workers, in the agent's native host, in clients and in the page.
 */
export class LinkedConnection<B extends { readonly engine: string }> implements ChannelHost {
  readonly engine: B['engine'];
  readonly unreadBytes = CHANNEL_UNREAD_BYTES;
  readonly heldBytes = CHANNEL_CREDIT_BYTES + MESSAGE_BYTES;
  readonly #options: LinkedConnectionOptions<B>;
  readonly #stack: StreamStack;
  readonly #heartbeat: Heartbeat;
  readonly #gate: OpenGate;
  readonly #connected = deferred<undefined>();
  readonly #closed = deferred<End>();
  readonly #gone = deferred<undefined>();
  readonly #streams = new Map<number, Stream>();
  readonly #lanes = new FairQueue<FramedChannel>();
  readonly #owed = new Set<FramedChannel>();
  readonly #rooms = new RoomAnnouncer();
  readonly #early: FramedChannel[] = [];
  readonly #streamHost: StreamHost;
  #handler: ((channel: FramedChannel) => void) | undefined;
  /** Stream of the link. Absent: there is none yet, or the other end does not know it. */
  #link: number | undefined;
  /** Both ends know the link, so that credit counts. */
  #linkStands = false;
  /** What the other end can do. Absent: it has not answered the link of this end yet. */
  #peer: LinkFeatures | undefined;
  #pumping = false;
  #state: 'connecting' | 'open' | 'draining' | 'ended' = 'connecting';
  #binding: B | undefined;

  constructor(options: LinkedConnectionOptions<B>) {
    this.engine = options.engine;
    this.#options = options;
    this.#gate = new OpenGate(options.clock);
    this.#peer = options.role === 'answerer' ? PLAIN : undefined;
    this.#connected.promise.catch(() => undefined);
    this.#heartbeat = new Heartbeat({
      clock: options.clock,
      intervalMs: options.heartbeatMs,
      ping: () => {
        if (this.#stack.ping !== undefined) this.#stack.ping();
        else this.#sendLink({ type: 'ping' });
      },
      lost: () => {
        this.#end({ code: 'ERR_PEER_LOST', message: 'the other end has gone silent' });
      },
    });
    this.#streamHost = {
      peer: () => this.#peer,
      link: () => this.#link,
      sendLink: (message) => {
        this.#sendLink(message);
      },
      copies: () => this.#stack.copies,
      send: (id, bytes) => {
        this.#stack.send(id, bytes);
      },
      sendText: (id, text) => {
        this.#stack.sendText(id, text);
      },
      partBytes: () => this.#stack.partBytes,
      endStream: (id, after) => {
        this.#stack.end(id, after);
      },
      resume: (channel) => {
        this.#lanes.add(channel);
        this.#pump();
      },
    };
    this.#stack = options.stack({
      connected: () => {
        this.#begin();
      },
      opened: (id, names) => this.#guard(() => this.#receiveOpen(id, names)) ?? false,
      message: (id, bytes) => {
        this.#guard(() => {
          this.#receive(id, bytes, 'binary');
        });
      },
      text: (id, bytes) => {
        this.#guard(() => {
          this.#receive(id, bytes, 'text');
        });
      },
      ended: (id) => {
        this.#guard(() => {
          this.#receiveEnded(id);
        });
      },
      freed: (id) => {
        this.#streams.delete(id);
      },
      heard: () => {
        this.#heartbeat.heard();
      },
      room: () => {
        this.#pump();
      },
      closed: (error) => {
        this.#end(error);
      },
    });
  }

  /** Resolves when channels can be opened. @throws {HoldfastError} why it never came so far. */
  get connected(): Promise<unknown> {
    return this.#connected.promise;
  }

  get closed(): Promise<End> {
    return this.#closed.promise;
  }

  get grantsCredit(): boolean {
    return this.#linkStands;
  }

  binding(): B {
    return (this.#binding ??= this.#options.binding());
  }

  /** Opens a channel; sending may begin at once. @throws {HoldfastError} ERR_PEER_LIMIT, ERR_PEER_LOST. */
  openChannel(names: DataChannelNames): FramedChannel {
    checkChannelNames(names);
    if (this.#state !== 'open')
      throw new HoldfastError('ERR_PEER_LOST', 'the connection has ended');
    if (this.#streams.size >= CHANNELS_PER_PEER)
      throw new HoldfastError('ERR_PEER_LIMIT', 'too many channels on this connection');
    return this.#add(this.#stack.open(names), names, true).channel;
  }

  onChannel(handler: (channel: FramedChannel) => void): void {
    this.#handler = handler;
    for (const channel of this.#early.splice(0)) handler(channel);
  }

  probe(): void {
    this.#heartbeat.probe();
  }

  /** Ends it at once; the other end learns of it as far as the stack says so. */
  readonly cut = (): void => {
    this.#end({ code: 'ERR_PEER_LOST', message: 'it was cut' });
  };

  readonly close = once(async (): Promise<void> => {
    if (this.#state === 'open') {
      this.#state = 'draining';
      for (const { channel } of this.#streams.values()) channel.close();
      await this.#drain(() => this.#isIdle(), PEER_DRAIN_MS);
      if (this.#linkStands) {
        const handshake = this.#peer?.handshake === true;
        this.#sendLink({ type: 'goodbye', error: undefined });
        // One that knows the handshake ends it from there; the stack of another has nothing left to send.
        await this.#drain(() => !handshake && this.#stack.isIdle, GOODBYE_MS);
      }
    }
    this.#end(undefined);
    await this.#gone.promise;
  });

  /** From whoever sets it up: the transport below has failed or was closed by the other end. */
  transportEnded(error: ErrorRecord | undefined): void {
    this.#end(error);
  }

  /** For channels. */
  schedule(channel: FramedChannel): void {
    if (this.#state === 'ended') return;
    this.#lanes.add(channel);
    this.#pump();
  }

  /** For channels. */
  scheduleCredit(channel: FramedChannel): void {
    if (this.#state === 'ended') return;
    this.#owed.add(channel);
    this.#sendCredit();
  }

  /** For channels; streams are forgotten when the stack has freed them. */
  forget(): void {
    // Nothing: see `freed`.
  }

  #begin(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    if (this.#stack.ping !== undefined) this.#heartbeat.start();
    if (this.#options.role === 'offerer')
      this.#link = this.#stack.open({ label: linkLabel(this.#features), protocol: LINK_PROTOCOL });
    this.#connected.resolve(undefined);
  }

  get #features(): LinkFeatures {
    return { handshake: true, waits: this.#stack.waits, joins: true };
  }

  #add(id: number, { label, protocol }: DataChannelNames, isOurs: boolean): Stream {
    const stream = new Stream(
      this.#streamHost,
      new FramedChannel({ id, label, protocol, sendCredit: CHANNEL_CREDIT_BYTES, host: this }),
      isOurs,
    );
    this.#streams.set(id, stream);
    return stream;
  }

  #receiveOpen(id: number, names: DataChannelNames): boolean {
    if (this.#state === 'ended') return false;
    if (this.#streams.has(id) || id === this.#link)
      throw new HoldfastError('ERR_PROTOCOL', 'a channel number was used twice');
    if (names.protocol === LINK_PROTOCOL) {
      if (this.#link !== undefined) throw new HoldfastError('ERR_PROTOCOL', 'a second link');
      this.#link = id;
      this.#sendLink({ type: 'start', features: this.#features });
      this.#startLink(readLinkLabel(names.label));
      return this.#peer?.handshake === true;
    }
    const refusal = this.#gate.refusal(names, this.#streams.size);
    const { channel } = this.#add(id, names, false);
    const handshake = this.#peer?.handshake === true;
    if (handshake) this.#sendLink({ type: 'credit', channel: id, bytes: 0 });
    if (refusal !== undefined) channel.close(refusal);
    else if (this.#handler === undefined) this.#early.push(channel);
    else this.#handler(channel);
    return handshake;
  }

  #receive(id: number, bytes: OwnedBytes, kind: 'binary' | 'text'): void {
    if (this.#state === 'ended') return;
    this.#heartbeat.heard();
    if (bytes.length > MESSAGE_BYTES)
      throw new HoldfastError('ERR_MESSAGE_TOO_LARGE', 'a message is over the limit');
    if (id === this.#link) {
      this.#receiveLink(decodeLink(bytes));
      return;
    }
    const stream = this.#streams.get(id);
    if (kind === 'text') stream?.receiveText(bytes);
    else stream?.receive(bytes);
  }

  #receiveLink(message: LinkMessage): void {
    switch (message.type) {
      case 'start':
        this.#startLink(message.features);
        return;
      case 'ping':
        this.#sendLink({ type: 'pong' });
        return;
      case 'pong':
        return;
      case 'goodbye':
        this.#end(message.error);
        return;
      case 'credit':
      case 'close':
      case 'end':
      case 'done':
        this.#streams.get(message.channel)?.receiveWord(message);
        return;
      default:
        assertNever(message);
    }
  }

  #startLink(features: LinkFeatures): void {
    if (this.#linkStands) return;
    this.#linkStands = true;
    this.#peer = features;
    if (this.#stack.ping === undefined && features.handshake) this.#heartbeat.start();
    // What they may send depends on what the other end can do.
    for (const stream of this.#streams.values()) stream.peerKnown();
    this.#sendCredit();
    this.#pump();
  }

  #sendLink(message: LinkMessage): void {
    if (this.#link !== undefined && this.#state !== 'ended')
      this.#stack.send(this.#link, encodeLink(message));
  }

  #sendCredit(): void {
    if (!this.#linkStands) return;
    for (const channel of this.#owed) {
      this.#owed.delete(channel);
      this.#sendLink({ type: 'credit', channel: channel.id, bytes: channel.takeCredit() });
    }
  }

  #pump(): void {
    if (this.#pumping || this.#state === 'ended' || this.#state === 'connecting') return;
    this.#pumping = true;
    try {
      while (this.#stack.hasRoom) {
        const channel = this.#lanes.next();
        if (channel === undefined) break;
        this.#sendNext(channel);
      }
    } finally {
      this.#pumping = false;
    }
  }

  #sendNext(channel: FramedChannel): void {
    if (this.#streams.get(channel.id)?.sendNext() === true) this.#lanes.add(channel);
    if (channel.isStarved) this.#rooms.add(channel);
  }

  /** The other end has reset a stream. */
  #receiveEnded(id: number): void {
    if (this.#state === 'ended') return;
    if (id === this.#link) throw new HoldfastError('ERR_PROTOCOL', 'the link must not be closed');
    this.#streams.get(id)?.receiveEnded();
  }

  #isIdle(): boolean {
    for (const stream of this.#streams.values()) if (!stream.isIdle) return false;
    return this.#stack.isIdle;
  }

  /** Waits until `done`, or until `ms` have passed or it has ended. */
  async #drain(done: () => boolean, ms: number): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock.now() + ms;
    while (!done() && this.#state === 'draining' && clock.now() < deadline) {
      await new Promise<void>((resolve) => {
        clock.after(DRAIN_POLL_MS, resolve);
      });
      this.#pump();
    }
  }

  /** What breaks the protocol ends the connection, and nothing beside it. */
  #guard<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#end(toErrorRecord(error));
      return undefined;
    }
  }

  #end(error: ErrorRecord | undefined): void {
    if (this.#state === 'ended') return;
    const wasWanted = this.#state === 'draining' || error === undefined;
    const hadConnected = this.#state !== 'connecting';
    this.#state = 'ended';
    this.#heartbeat.stop();
    this.#lanes.clear();
    this.#owed.clear();
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const { channel } of streams)
      channel.connectionEnded(wasWanted ? { type: 'closed', error } : { type: 'lost' });
    if (!hadConnected) this.#connected.reject(fromErrorRecord(error ?? NEVER_STOOD));
    this.#closed.resolve({ error });
    void this.#stack.close().finally(() => {
      this.#gone.resolve(undefined);
    });
  }
}
