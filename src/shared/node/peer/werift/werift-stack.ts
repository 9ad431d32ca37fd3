import type { RTCPeerConnection } from 'werift';
import {
  HoldfastError,
  once,
  toErrorRecord,
  type Clock,
  type OwnedBytes,
} from '../../../common/index.js';
import {
  StreamIds,
  type DataChannelNames,
  type StackEvents,
  type StreamStack,
} from '../../../common/data-channels/index.js';
import { Association, isData } from './association.js';
import { decodeDcep, encodeAck, encodeOpen, PPID } from './dcep.js';
import type { WeriftInternals } from './internals.js';

export interface WeriftStackOptions {
  readonly pc: RTCPeerConnection;
  readonly internals: WeriftInternals;
  readonly clock: Clock;
  readonly events: StackEvents;
}

/** One stream; forgotten when both directions are reset. */
interface WeriftStream {
  /** Our direction is to be reset once what was sent on these streams has been acknowledged. */
  endAfter: readonly number[] | undefined;
  localReset: boolean;
  remoteReset: boolean;
}

/** Beyond every flight of a DTLS 1.2 handshake. */
const LAST_FLIGHT = 7;

/**
 * Streams straight on werift's SCTP, with data channels (RFC 8831, RFC 8832) spoken here; werift's data channel
 * objects have one queue for all, lose the tail at close and know no bounds.
 */
export class WeriftStack implements StreamStack {
  /** Whatever arrives is kept in order and handed on in the turn in which it came. */
  readonly waits = false;
  readonly copies = false;
  readonly partBytes = undefined;
  readonly #pc: RTCPeerConnection;
  readonly #internals: WeriftInternals;
  readonly #events: StackEvents;
  readonly #association: Association;
  readonly #streams = new Map<number, WeriftStream>();
  #ids = new StreamIds(0);
  #roomScheduled = false;
  #closed = false;

  constructor({ pc, internals, clock, events }: WeriftStackOptions) {
    this.#pc = pc;
    this.#internals = internals;
    this.#events = events;
    this.#association = new Association(
      internals,
      {
        connected: () => {
          this.#ids = new StreamIds(this.#association.firstStreamId);
          events.connected();
        },
        message: (id, ppId, data) => {
          this.#receive(id, ppId, data);
        },
        remoteReset: (id) => {
          this.#receiveReset(id);
        },
        localReset: (id) => {
          this.#finishReset(id);
        },
        heard: () => {
          events.heard();
        },
        room: () => {
          this.#scheduleRoom();
        },
        closed: (error) => {
          events.closed(error);
        },
      },
      clock,
    );
  }

  /** Puts the guards in place; before the handshake. */
  install(): void {
    this.#association.install();
  }

  get hasRoom(): boolean {
    return this.#association.hasRoom;
  }

  get isIdle(): boolean {
    if (!this.#association.isIdle) return false;
    for (const { endAfter, localReset } of this.#streams.values())
      if (endAfter !== undefined && !localReset) return false;
    return true;
  }

  open(names: DataChannelNames): number {
    const id = this.#ids.take((each) => this.#streams.has(each));
    this.#add(id);
    this.#association.send(id, PPID.dcep, encodeOpen(names));
    return id;
  }

  send(id: number, bytes: OwnedBytes): void {
    this.#association.send(id, PPID.binary, bytes);
  }

  sendText(id: number, text: string): void {
    this.#association.send(id, PPID.string, Buffer.from(text));
  }

  end(id: number, after?: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.endAfter !== undefined) return;
    stream.endAfter = after === undefined ? [id] : [id, after];
    this.#resetDrained();
  }

  ping(): void {
    this.#association.ping();
  }

  readonly close = once(async () => {
    this.#closed = true;
    this.#streams.clear();
    // Closing does not end werift's handshake: it would go on sending for half a minute.
    const { dtls } = this.#internals.dtlsTransport;
    if (dtls !== undefined) dtls.dtls.flight = Math.max(dtls.dtls.flight, LAST_FLIGHT);
    // Sends an ABORT, by which any peer learns that it is over.
    await this.#pc.close().catch(() => undefined);
  });

  #add(id: number): void {
    this.#streams.set(id, { endAfter: undefined, localReset: false, remoteReset: false });
  }

  /** What this throws comes back through the association, which ends the connection with it. */
  #receive(id: number, ppId: number, data: Buffer): void {
    if (this.#closed) return;
    if (ppId === PPID.dcep) {
      this.#receiveDcep(id, data);
    } else if (isData(ppId)) {
      if (!this.#streams.has(id)) return;
      // Copied: werift's buffer may be a slice of a pool, which must never be transferred.
      const bytes = new Uint8Array(data);
      if (ppId === PPID.string) this.#events.text(id, bytes);
      else this.#events.message(id, bytes);
    } else if (ppId !== PPID.binaryEmpty && ppId !== PPID.stringEmpty) {
      throw new HoldfastError('ERR_PROTOCOL', `unknown kind of message: ${String(ppId)}`);
    }
  }

  #receiveDcep(id: number, data: Buffer): void {
    const message = decodeDcep(data);
    if (message.type === 'ack') {
      if (!this.#streams.has(id))
        throw new HoldfastError('ERR_PROTOCOL', 'a channel was acknowledged that was never opened');
      return;
    }
    if (id % 2 === this.#association.firstStreamId || this.#streams.has(id))
      throw new HoldfastError('ERR_PROTOCOL', 'a channel number was used twice or is not theirs');
    this.#add(id);
    this.#association.send(id, PPID.dcep, encodeAck());
    this.#events.opened(id, message);
  }

  #scheduleRoom(): void {
    if (this.#roomScheduled || this.#closed) return;
    this.#roomScheduled = true;
    // Not inside werift's own loop, which is about to look at its queue again.
    queueMicrotask(() => {
      this.#roomScheduled = false;
      try {
        this.#events.room();
        this.#resetDrained();
      } catch (error) {
        this.#events.closed(toErrorRecord(error));
      }
    });
  }

  /** Resets the streams that are to end and whose last byte has been acknowledged. */
  #resetDrained(): void {
    if (this.#closed) return;
    for (const [id, stream] of this.#streams) {
      if (stream.endAfter === undefined || stream.localReset) continue;
      if (!stream.remoteReset && !this.#association.isDrained(stream.endAfter)) continue;
      stream.localReset = true;
      this.#association.reset(id);
    }
  }

  #receiveReset(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.remoteReset) return;
    stream.remoteReset = true;
    this.#events.ended(id);
    this.#resetDrained();
    this.#forgetDone(id, stream);
  }

  #finishReset(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.localReset = true;
    stream.endAfter = undefined;
    this.#forgetDone(id, stream);
  }

  #forgetDone(id: number, stream: WeriftStream): void {
    if (!stream.remoteReset || !stream.localReset || stream.endAfter !== undefined) return;
    this.#streams.delete(id);
    this.#events.freed(id);
  }
}
