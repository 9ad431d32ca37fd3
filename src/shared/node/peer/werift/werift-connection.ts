import type { RTCPeerConnection } from 'werift';
import {
  assertNever,
  deferred,
  fromErrorRecord,
  HoldfastError,
  limits,
  once,
  type Clock,
  type ErrorRecord,
} from '../../../common/index.js';
import {
  checkChannelNames,
  FairQueue,
  FramedChannel,
  Heartbeat,
  OpenGate,
  RoomAnnouncer,
  type ChannelHost,
} from '../../../common/framing/index.js';
import type {
  OpenChannelOptions,
  PeerBinding,
  PeerChannel,
  PeerConnection,
  PeerEnd,
} from '../types.js';
import { Association, isData } from './association.js';
import { decodeDcep, encodeAck, encodeOpen, PPID } from './dcep.js';
import { dtlsBinding } from './dtls-guard.js';
import type { WeriftInternals } from './internals.js';
import { openStream, type Stream } from './stream.js';
import { decodeLink, encodeLink, LINK_PROTOCOL, type LinkMessage } from './link.js';

export interface WeriftConnectionOptions {
  readonly pc: RTCPeerConnection;
  readonly internals: WeriftInternals;
  /** The end that made the offer opens the link. */
  readonly role: 'offerer' | 'answerer';
  readonly clock: Clock;
  readonly heartbeatMs?: number | undefined;
}

/** Stream ids end at 65534 (RFC 8831 section 6.3); werift uses the highest ones for nothing. */
const MAX_STREAM_ID = 65_000;
const GOODBYE_MS = 500;
/** Beyond every flight of a DTLS 1.2 handshake. */
const LAST_FLIGHT = 7;

const NEVER_STOOD = { code: 'ERR_PEER_LOST', message: 'the connection never stood' };

/**
 * The werift engine. Data channels (RFC 8831, RFC 8832) are spoken here, straight on werift's SCTP, with
 * queues, turns and credit of our own; werift's data channel objects have one queue for all, lose the
 * tail at close and know no bounds.
 */
export class WeriftConnection implements PeerConnection, ChannelHost {
  readonly engine = 'werift';
  readonly unreadBytes = limits.CHANNEL_UNREAD_BYTES;
  readonly heldBytes = limits.CHANNEL_CREDIT_BYTES + limits.MESSAGE_BYTES;
  readonly #pc: RTCPeerConnection;
  /** For tests that play a hostile peer. */
  readonly internals: WeriftInternals;
  readonly #role: 'offerer' | 'answerer';
  readonly #clock: Clock;
  readonly #association: Association;
  readonly #heartbeat: Heartbeat;
  readonly #gate: OpenGate;
  readonly #connected = deferred<undefined>();
  readonly #closed = deferred<PeerEnd>();
  readonly #gone = deferred<undefined>();
  readonly #streams = new Map<number, Stream>();
  readonly #lanes = new FairQueue<FramedChannel>();
  readonly #owed = new Set<FramedChannel>();
  readonly #rooms = new RoomAnnouncer();
  readonly #early: FramedChannel[] = [];
  #handler: ((channel: PeerChannel) => void) | undefined;
  #nextStreamId = 0;
  /** Stream of the link. Absent: there is none yet, or the other end does not know it. */
  #link: number | undefined;
  #linkAnswered = false;
  #pumping = false;
  #pumpScheduled = false;
  #state: 'connecting' | 'open' | 'draining' | 'ended' = 'connecting';
  #binding: PeerBinding | undefined;

  constructor({ pc, internals, role, clock, heartbeatMs }: WeriftConnectionOptions) {
    this.#pc = pc;
    this.internals = internals;
    this.#role = role;
    this.#clock = clock;
    this.#gate = new OpenGate(clock);
    this.#connected.promise.catch(() => undefined);
    this.#heartbeat = new Heartbeat({
      clock,
      intervalMs: heartbeatMs,
      ping: () => {
        this.#association.ping();
      },
      lost: () => {
        this.#end({ code: 'ERR_PEER_LOST', message: 'the other end has gone silent' });
      },
    });
    this.#association = new Association(
      internals,
      {
        connected: () => {
          this.#begin();
        },
        message: (streamId, ppId, data) => {
          this.#receive(streamId, ppId, data);
        },
        remoteReset: (streamId) => {
          this.#receiveReset(streamId);
        },
        localReset: (streamId) => {
          this.#finishReset(streamId);
        },
        heard: () => {
          this.#heartbeat.heard();
        },
        room: () => {
          this.#schedulePump();
        },
        closed: (error) => {
          this.#end(error);
        },
      },
      clock,
    );
  }

  /** Puts the guards in place; before the handshake. */
  install(): void {
    this.#association.install();
  }

  /** Resolves when channels can be opened. @throws {HoldfastError} why it never came so far. */
  get connected(): Promise<unknown> {
    return this.#connected.promise;
  }

  get closed(): Promise<PeerEnd> {
    return this.#closed.promise;
  }

  get grantsCredit(): boolean {
    return this.#linkAnswered;
  }

  binding(): PeerBinding {
    return (this.#binding ??= dtlsBinding(this.internals.dtlsTransport));
  }

  openChannel(options: OpenChannelOptions): PeerChannel {
    checkChannelNames(options);
    if (this.#state !== 'open')
      throw new HoldfastError('ERR_PEER_LOST', 'the connection has ended');
    if (this.#streams.size >= limits.CHANNELS_PER_PEER)
      throw new HoldfastError('ERR_PEER_LIMIT', 'too many channels on this connection');
    const streamId = this.#takeStreamId();
    const channel = this.#add(streamId, options);
    this.#association.send(streamId, PPID.dcep, encodeOpen(options));
    return channel;
  }

  onChannel(handler: (channel: PeerChannel) => void): void {
    this.#handler = handler;
    for (const channel of this.#early.splice(0)) handler(channel);
  }

  probe(): void {
    this.#heartbeat.probe();
  }

  /** The other end learns of it by the ABORT that werift sends. */
  readonly cut = (): void => this.transportEnded({ code: 'ERR_PEER_LOST', message: 'it was cut' });

  readonly close = once(async (): Promise<void> => {
    if (this.#state === 'open') {
      this.#state = 'draining';
      await this.#drain(() => this.#isIdle(), limits.PEER_DRAIN_MS);
      if (this.#link !== undefined) {
        this.#sendLink({ type: 'goodbye', error: undefined });
        await this.#drain(() => this.#association.isIdle, GOODBYE_MS);
      }
    }
    this.#end(undefined);
    await this.#gone.promise;
  });

  /** From werift: the transport below has failed or was closed by the other end. */
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

  /** For channels; streams are forgotten when both resets are done. */
  forget(): void {
    // Nothing: see #finishReset.
  }

  /** SCTP is established. */
  #begin(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    this.#nextStreamId = this.#association.firstStreamId;
    this.#heartbeat.start();
    if (this.#role === 'offerer') {
      this.#link = this.#takeStreamId();
      this.#association.send(
        this.#link,
        PPID.dcep,
        encodeOpen({ label: '', protocol: LINK_PROTOCOL }),
      );
    }
    this.#connected.resolve(undefined);
  }

  #takeStreamId(): number {
    // Ids come round again after 32,500 channels; those still in use are passed over.
    do {
      const id = this.#nextStreamId;
      this.#nextStreamId = id + 2 > MAX_STREAM_ID ? id % 2 : id + 2;
      if (!this.#streams.has(id) && id !== this.#link) return id;
    } while (true);
  }

  #add(id: number, { label, protocol }: OpenChannelOptions): FramedChannel {
    const channel = new FramedChannel({
      id,
      label,
      protocol,
      sendCredit: limits.CHANNEL_CREDIT_BYTES,
      host: this,
    });
    this.#streams.set(id, openStream(channel));
    return channel;
  }

  #receive(streamId: number, ppId: number, data: Buffer): void {
    if (this.#state === 'ended') return;
    // What this throws comes back through the association, which ends the connection with it.
    if (ppId === PPID.dcep) {
      this.#receiveDcep(streamId, data);
      return;
    }
    if (!isData(ppId)) {
      if (ppId === PPID.binaryEmpty || ppId === PPID.stringEmpty) return;
      throw new HoldfastError('ERR_PROTOCOL', `unknown kind of message: ${String(ppId)}`);
    }
    if (data.length > limits.MESSAGE_BYTES)
      throw new HoldfastError('ERR_MESSAGE_TOO_LARGE', 'a message is over the limit');
    if (streamId === this.#link) {
      this.#receiveLink(decodeLink(data));
      return;
    }
    // Copied: werift's buffer may be a slice of a pool, which must never be transferred.
    this.#streams.get(streamId)?.channel.receive(new Uint8Array(data), false);
  }

  #receiveDcep(streamId: number, data: Buffer): void {
    const message = decodeDcep(data);
    if (message.type === 'ack') {
      if (!this.#streams.has(streamId) && streamId !== this.#link)
        throw new HoldfastError('ERR_PROTOCOL', 'a channel was acknowledged that was never opened');
      return;
    }
    const isTheirs = streamId % 2 !== this.#association.firstStreamId;
    if (!isTheirs || this.#streams.has(streamId) || streamId === this.#link)
      throw new HoldfastError('ERR_PROTOCOL', 'a channel number was used twice or is not theirs');
    this.#association.send(streamId, PPID.dcep, encodeAck());
    if (message.protocol === LINK_PROTOCOL) {
      if (this.#link !== undefined) throw new HoldfastError('ERR_PROTOCOL', 'a second link');
      this.#link = streamId;
      this.#sendLink({ type: 'start' });
      this.#answerLink();
      return;
    }
    const refusal = this.#gate.refusal(message, this.#streams.size);
    const channel = this.#add(streamId, message);
    if (refusal !== undefined) channel.close(refusal);
    else if (this.#handler === undefined) this.#early.push(channel);
    else this.#handler(channel);
  }

  #receiveLink(message: LinkMessage): void {
    switch (message.type) {
      case 'start':
        this.#answerLink();
        return;
      case 'credit':
        this.#streams.get(message.channel)?.channel.grant(message.bytes);
        return;
      case 'close': {
        const stream = this.#streams.get(message.channel);
        if (stream !== undefined) stream.remoteError = message.error;
        return;
      }
      case 'goodbye':
        this.#end(message.error);
        return;
      default:
        assertNever(message);
    }
  }

  /** Both ends know the link: from here on credit counts. */
  #answerLink(): void {
    this.#linkAnswered = true;
    this.#sendCredit();
  }

  #sendLink(message: LinkMessage): void {
    if (this.#link !== undefined && this.#state !== 'ended')
      this.#association.send(this.#link, PPID.binary, encodeLink(message));
  }

  #sendCredit(): void {
    if (!this.#linkAnswered) return;
    for (const channel of this.#owed) {
      this.#owed.delete(channel);
      this.#sendLink({ type: 'credit', channel: channel.id, bytes: channel.takeCredit() });
    }
  }

  #schedulePump(): void {
    if (this.#pumpScheduled || this.#state === 'ended') return;
    this.#pumpScheduled = true;
    // Not inside werift's own loop, which is about to look at its queue again.
    queueMicrotask(() => {
      this.#pumpScheduled = false;
      this.#pump();
      this.#resetDrained();
    });
  }

  #pump(): void {
    if (this.#pumping || this.#state === 'ended' || this.#state === 'connecting') return;
    this.#pumping = true;
    try {
      while (this.#association.hasRoom) {
        const channel = this.#lanes.next();
        if (channel === undefined) break;
        this.#sendNext(channel);
      }
    } finally {
      this.#pumping = false;
    }
  }

  #sendNext(channel: FramedChannel): void {
    const item = channel.take();
    if (item === undefined) return;
    if ('message' in item) {
      this.#association.send(channel.id, PPID.binary, item.message);
      if (channel.isStarved) this.#rooms.add(channel);
    } else {
      const stream = this.#streams.get(channel.id);
      if (stream === undefined) return;
      if (item.close !== undefined)
        this.#sendLink({ type: 'close', channel: channel.id, error: item.close });
      stream.closing = { error: item.close };
      this.#resetDrained();
    }
    if (channel.hasMore) this.#lanes.add(channel);
  }

  /** Resets the streams that are closing and whose last byte has been acknowledged. */
  #resetDrained(): void {
    if (this.#state === 'ended') return;
    for (const [streamId, stream] of this.#streams) {
      if (stream.closing === undefined || stream.localReset) continue;
      const { error } = stream.closing;
      const before =
        error !== undefined && this.#link !== undefined ? [streamId, this.#link] : [streamId];
      if (!stream.remoteReset && !this.#association.isDrained(before)) continue;
      stream.localReset = true;
      this.#association.reset(streamId);
    }
  }

  #receiveReset(streamId: number): void {
    if (streamId === this.#link)
      throw new HoldfastError('ERR_PROTOCOL', 'the link must not be closed');
    const stream = this.#streams.get(streamId);
    if (stream === undefined || stream.remoteReset) return;
    stream.remoteReset = true;
    this.#owed.delete(stream.channel);
    stream.channel.receiveClose(stream.remoteError);
    this.#resetDrained();
    this.#forgetDone(streamId, stream);
  }

  #finishReset(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    stream.localReset = true;
    stream.closing = undefined;
    this.#forgetDone(streamId, stream);
  }

  #forgetDone(streamId: number, stream: Stream): void {
    if (stream.remoteReset && stream.localReset && stream.closing === undefined)
      this.#streams.delete(streamId);
  }

  #isIdle(): boolean {
    if (!this.#association.isIdle) return false;
    for (const { channel, closing, localReset } of this.#streams.values())
      if (channel.hasMore || (closing !== undefined && !localReset)) return false;
    return true;
  }

  /** Waits until `done`, looking whenever there is room, or until `ms` have passed or it has ended. */
  async #drain(done: () => boolean, ms: number): Promise<void> {
    const deadline = this.#clock.now() + ms;
    while (!done() && this.#state === 'draining' && this.#clock.now() < deadline) {
      await new Promise<void>((resolve) => {
        this.#clock.after(DRAIN_POLL_MS, resolve);
      });
      this.#pump();
      this.#resetDrained();
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
    // Closing does not end werift's handshake: it would go on sending for half a minute.
    const { dtls } = this.internals.dtlsTransport;
    if (dtls !== undefined) dtls.dtls.flight = Math.max(dtls.dtls.flight, LAST_FLIGHT);
    // Sends an ABORT, by which any peer learns that it is over.
    void this.#pc
      .close()
      .catch(() => undefined)
      .finally(() => {
        this.#gone.resolve(undefined);
      });
  }
}

const DRAIN_POLL_MS = 5;
