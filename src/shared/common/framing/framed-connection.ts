import type { OwnedBytes } from '../byte-channel.js';
import { systemClock, type Clock, type Timer } from '../clock.js';
import { deferred } from '../deferred.js';
import { HoldfastError, toErrorRecord, type ErrorRecord } from '../errors.js';
import { once } from '../lifecycle.js';
import {
  ASSOCIATION_QUEUE_BYTES,
  CHANNEL_CREDIT_BYTES,
  CHANNELS_PER_PEER,
  MESSAGE_BYTES,
  PEER_DRAIN_MS,
} from '../limits.js';
import { FairQueue } from './fair-queue.js';
import { FramedChannel, type ChannelHost } from './framed-channel.js';
import {
  checkChannelNames,
  checkStart,
  FRAME,
  FRAME_HEADER_BYTES,
  frameAround,
  FrameDecoder,
  frameHeader,
  openPayload,
  readOpen,
  readReason,
  readU32,
  reasonPayload,
  startPayload,
  u32Payload,
  type Frame,
  type FrameType,
} from './frames.js';
import { Heartbeat } from './heartbeat.js';
import { OpenGate } from './open-gate.js';
import { RoomAnnouncer } from './room-announcer.js';

/** Ordered, reliable bytes to the other end: a socket, a pipe, a WebSocket. */
export interface FramedTransport {
  /** Writes a frame or a part of one, and keeps its memory until then; calls `written` after, if it is given. */
  write(bytes: Uint8Array, written?: () => void): void;
  /** Bytes written that have not left this process yet; the connection adds to them up to a bound. */
  readonly pendingBytes: number;
  /** Ends the stream after what was written. */
  end(): void;
  /** Drops it at once; `transportEnded` follows. */
  destroy(): void;
}

/** A payload up to this long is copied behind its header, since a further piece to write costs more. */
const COPIED_BYTES = 2_048;

export interface FramedConnectionOptions {
  readonly transport: FramedTransport;
  /** Who dialled is `client`; the two must differ. */
  readonly role: 'client' | 'server';
  readonly clock?: Clock | undefined;
  /** For tests of the heartbeat. */
  readonly heartbeatMs?: number | undefined;
}

/** What {@link FramedConnection.binding} says: there is no DTLS under it to bind to. */
export interface FramedBinding {
  readonly engine: 'framed';
  readonly localFingerprint: string;
  readonly remoteFingerprint: string;
}

/**
 * The `framed` engine without a platform: many channels over one stream, each with credit of its own, in
 * fair turns. The owner of the transport calls {@link receive}, {@link drained} and
 * {@link transportEnded}. Trusts nothing that arrives: what breaks the protocol ends this connection.
 */
export class FramedConnection implements ChannelHost {
  readonly engine = 'framed';
  readonly grantsCredit = true;
  /** One message may overdraw the credit, no more. */
  readonly unreadBytes = CHANNEL_CREDIT_BYTES + MESSAGE_BYTES;
  readonly heldBytes = CHANNEL_CREDIT_BYTES + MESSAGE_BYTES;
  readonly #transport: FramedTransport;
  readonly #clock: Clock;
  readonly #decoder: FrameDecoder;
  readonly #heartbeat: Heartbeat;
  readonly #gate: OpenGate;
  readonly #closed = deferred<{ readonly error?: ErrorRecord | undefined }>();
  readonly #channels = new Map<number, FramedChannel>();
  readonly #lanes = new FairQueue<FramedChannel>();
  readonly #owed = new Set<FramedChannel>();
  readonly #rooms = new RoomAnnouncer();
  readonly #early: FramedChannel[] = [];
  #handler: ((channel: FramedChannel) => void) | undefined;
  #nextId: number;
  /** Highest number the other end has opened; lower ones that are not in the map have ended. */
  #highestRemote: number;
  #pong: number | undefined;
  #pumping = false;
  #started = false;
  #remoteStarted = false;
  #state: 'open' | 'draining' | 'ending' | 'ended' = 'open';
  #goodbye: ErrorRecord | undefined;
  #drainTimer: Timer | undefined;
  #destroyTimer: Timer | undefined;
  readonly #transportGone = deferred<undefined>();
  #drained: (() => void) | undefined;

  constructor(options: FramedConnectionOptions) {
    this.#transport = options.transport;
    this.#clock = options.clock ?? systemClock;
    this.#nextId = options.role === 'client' ? 1 : 2;
    this.#highestRemote = options.role === 'client' ? 0 : -1;
    this.#gate = new OpenGate(this.#clock);
    this.#decoder = new FrameDecoder((frame) => {
      this.#receiveFrame(frame);
    });
    this.#heartbeat = new Heartbeat({
      clock: this.#clock,
      intervalMs: options.heartbeatMs,
      ping: () => {
        this.#write(FRAME.ping, 0, u32Payload(0));
      },
      lost: () => {
        this.#fail({ code: 'ERR_PEER_LOST', message: 'the other end has gone silent' });
      },
    });
  }

  /** Resolves once, when it has ended for whatever reason. Absent error: on purpose. */
  get closed(): Promise<{ readonly error?: ErrorRecord | undefined }> {
    return this.#closed.promise;
  }

  /** Channels that have not ended on both sides. */
  get channelCount(): number {
    return this.#channels.size;
  }

  binding(): FramedBinding {
    return { engine: 'framed', localFingerprint: 'absent', remoteFingerprint: 'absent' };
  }

  /** Sends the first frame and begins the heartbeat. Called once, by the owner of the transport. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#write(FRAME.start, 0, startPayload());
    this.#heartbeat.start();
    this.#pump();
  }

  /**
   * Opens a channel; it may be used at once.
   * @throws {HoldfastError} ERR_CHANNEL_LABEL, ERR_PEER_LIMIT, ERR_PEER_LOST.
   */
  openChannel(options: { readonly label: string; readonly protocol: string }): FramedChannel {
    checkChannelNames(options);
    if (this.#state !== 'open')
      throw new HoldfastError('ERR_PEER_LOST', 'the connection has ended');
    if (this.#channels.size >= CHANNELS_PER_PEER)
      throw new HoldfastError('ERR_PEER_LIMIT', 'too many channels on this connection');
    const channel = this.#add(this.#nextId, options, CHANNEL_CREDIT_BYTES);
    this.#nextId += 2;
    this.#write(
      FRAME.open,
      channel.id,
      openPayload({
        credit: CHANNEL_CREDIT_BYTES,
        label: options.label,
        protocol: options.protocol,
      }),
    );
    return channel;
  }

  /** Sets who gets the channels that the other end opens; those that came before are handed over. */
  onChannel(handler: (channel: FramedChannel) => void): void {
    this.#handler = handler;
    for (const channel of this.#early.splice(0)) handler(channel);
  }

  /** Somebody says that the other end has gone: it is asked at once. */
  probe(): void {
    this.#heartbeat.probe();
  }

  /** Drops the transport with all that is queued; the other end is not told. */
  cut(): void {
    if (this.#state !== 'ended') this.#transport.destroy();
  }

  /** Says goodbye after what is queued, within a bound, then ends the transport. */
  readonly close = once(async (): Promise<void> => {
    await this.#closeWith(undefined);
  });

  /** Like {@link close}, telling the other end why. */
  async closeWithError(error: ErrorRecord): Promise<void> {
    if (this.#state === 'open') this.#goodbye = error;
    await this.close();
  }

  /** From the transport: bytes arrived. Copies what it keeps. */
  receive(chunk: Uint8Array): void {
    if (this.#state === 'ended') return;
    this.#heartbeat.heard();
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      this.#fail(toErrorRecord(error));
    }
  }

  /** From the transport: `pendingBytes` has fallen. */
  drained(): void {
    this.#pump();
  }

  /** From the transport: nothing can be sent or received any more. */
  transportEnded(error?: ErrorRecord): void {
    this.#destroyTimer?.cancel();
    this.#transportGone.resolve(undefined);
    this.#end(
      this.#state === 'open'
        ? (error ?? { code: 'ERR_PEER_LOST', message: 'the connection was cut' })
        : this.#goodbye,
    );
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
    this.#pump();
  }

  /** For channels. */
  forget(channel: FramedChannel): void {
    this.#channels.delete(channel.id);
    this.#owed.delete(channel);
  }

  #add(
    id: number,
    { label, protocol }: { readonly label: string; readonly protocol: string },
    sendCredit: number,
  ): FramedChannel {
    const channel = new FramedChannel({ id, label, protocol, sendCredit, host: this });
    this.#channels.set(id, channel);
    return channel;
  }

  /** Sends while there is room. Everything that could pile up is kept once per channel, not in a list. */
  #pump(): void {
    if (this.#pumping || !this.#started || this.#state === 'ended') return;
    this.#pumping = true;
    try {
      while (this.#transport.pendingBytes < ASSOCIATION_QUEUE_BYTES) {
        if (!this.#writeNext()) break;
      }
    } finally {
      this.#pumping = false;
    }
    if (this.#state === 'draining' && this.#isIdle()) this.#drained?.();
  }

  #writeNext(): boolean {
    if (this.#pong !== undefined) {
      this.#write(FRAME.pong, 0, u32Payload(this.#pong));
      this.#pong = undefined;
      return true;
    }
    for (const channel of this.#owed) {
      this.#owed.delete(channel);
      const credit = channel.takeCredit();
      if (credit > 0) this.#write(FRAME.credit, channel.id, u32Payload(credit));
      return true;
    }
    const lane = this.#lanes.next();
    if (lane === undefined) return false;
    const item = lane.take();
    if (item === undefined) return true;
    if ('message' in item) {
      const { message, sent } = item;
      this.#write(
        FRAME.data,
        lane.id,
        message,
        sent &&
          (() => {
            sent(message);
          }),
      );
      if (lane.isStarved) this.#rooms.add(lane);
    } else {
      this.#write(FRAME.close, lane.id, reasonPayload(item.close));
    }
    if (lane.hasMore) this.#lanes.add(lane);
    return true;
  }

  #isIdle(): boolean {
    if (this.#pong !== undefined || this.#owed.size > 0) return false;
    for (const channel of this.#channels.values()) if (channel.hasMore) return false;
    return true;
  }

  #write(type: FrameType, channel: number, payload: OwnedBytes, written?: () => void): void {
    if (this.#state === 'ended' || (this.#state === 'ending' && type !== FRAME.goodbye)) return;
    if (payload.length <= COPIED_BYTES || payload.byteOffset >= FRAME_HEADER_BYTES) {
      this.#transport.write(frameAround(type, channel, payload), written);
      return;
    }
    this.#transport.write(frameHeader(type, channel, payload.length));
    this.#transport.write(payload, written);
  }

  #receiveFrame({ type, channel: id, payload, isLent }: Frame): void {
    if (this.#state === 'ended') return;
    if (!this.#remoteStarted) {
      if (type !== FRAME.start)
        throw new HoldfastError('ERR_PROTOCOL', 'the other end does not speak the framed protocol');
      checkStart(payload);
      this.#remoteStarted = true;
      return;
    }
    switch (type) {
      case FRAME.open:
        this.#receiveOpen(id, payload);
        return;
      case FRAME.data:
        if (payload.length === 0)
          throw new HoldfastError('ERR_PROTOCOL', 'a message must not be empty');
        this.#find(id)?.receive(payload, isLent);
        return;
      case FRAME.credit:
        this.#find(id)?.grant(readU32(payload));
        return;
      case FRAME.close:
        this.#find(id)?.receiveClose(readReason(payload));
        return;
      case FRAME.ping:
        this.#pong = readU32(payload);
        this.#pump();
        return;
      case FRAME.pong:
        return;
      case FRAME.goodbye:
        this.#receiveGoodbye(readReason(payload));
        return;
      default:
        throw new HoldfastError('ERR_PROTOCOL', `unknown type of frame: ${String(type)}`);
    }
  }

  #receiveOpen(id: number, payload: Uint8Array): void {
    if (id <= this.#highestRemote || id % 2 !== Math.abs(this.#highestRemote % 2))
      throw new HoldfastError('ERR_PROTOCOL', 'a channel number was used twice or is not theirs');
    this.#highestRemote = id;
    const open = readOpen(payload);
    const refusal = this.#gate.refusal(open, this.#channels.size);
    if (refusal !== undefined) {
      // Not kept: frames that follow for this number are those of a channel that has ended.
      this.#write(FRAME.close, id, reasonPayload(refusal));
      return;
    }
    const channel = this.#add(id, open, open.credit);
    if (this.#handler === undefined) this.#early.push(channel);
    else this.#handler(channel);
  }

  #receiveGoodbye(reason: ErrorRecord | undefined): void {
    this.#end(reason);
    this.#endTransport();
  }

  /** Absent: the channel has ended already, and what is still under way for it is dropped. */
  #find(id: number): FramedChannel | undefined {
    const channel = this.#channels.get(id);
    if (channel !== undefined) return channel;
    const isOurs = id % 2 === this.#nextId % 2;
    if (id === 0 || id > (isOurs ? this.#nextId - 2 : this.#highestRemote))
      throw new HoldfastError('ERR_PROTOCOL', 'a frame names a channel that was never opened');
    return undefined;
  }

  async #closeWith(error: ErrorRecord | undefined): Promise<void> {
    if (this.#state === 'open') {
      if (error !== undefined) this.#goodbye = error;
      this.#state = 'draining';
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
        this.#drainTimer = this.#clock.after(PEER_DRAIN_MS, resolve);
        void this.#closed.promise.then(() => {
          resolve();
        });
        this.#pump();
      });
      this.#drainTimer?.cancel();
    }
    if (this.#state === 'draining') {
      this.#write(FRAME.goodbye, 0, reasonPayload(this.#goodbye));
      this.#state = 'ending';
      this.#endTransport();
    }
    await this.#transportGone.promise;
    await this.#closed.promise;
  }

  /** The transport ends once the other end has read it all; if it does not, we do not wait for ever. */
  #endTransport(): void {
    this.#transport.end();
    this.#destroyTimer ??= this.#clock.after(PEER_DRAIN_MS, () => {
      this.#transport.destroy();
    });
  }

  /** The other end broke the protocol or is gone: tell it why if that is still possible, and end. */
  #fail(error: ErrorRecord): void {
    if (this.#state === 'ended') return;
    if (this.#state !== 'ending') this.#write(FRAME.goodbye, 0, reasonPayload(error));
    this.#end(error);
    this.#endTransport();
  }

  #end(error: ErrorRecord | undefined): void {
    if (this.#state === 'ended') return;
    const wasWanted = this.#state !== 'open' || error === undefined;
    this.#state = 'ended';
    this.#heartbeat.stop();
    this.#drainTimer?.cancel();
    this.#lanes.clear();
    this.#owed.clear();
    const channels = [...this.#channels.values()];
    this.#channels.clear();
    for (const channel of channels)
      channel.connectionEnded(wasWanted ? { type: 'closed', error } : { type: 'lost' });
    this.#closed.resolve({ error });
  }
}
