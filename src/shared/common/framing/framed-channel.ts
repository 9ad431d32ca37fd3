import type { ByteChannel, ByteChannelHandlers, ChannelEnd, OwnedBytes } from '../byte-channel.js';
import type { ErrorRecord } from '../errors.js';
import {
  CHANNEL_CREDIT_BYTES,
  CHANNEL_HELD_MESSAGES,
  CHANNEL_QUEUE_BYTES,
  MESSAGE_BYTES,
} from '../limits.js';
import type { Lane } from './fair-queue.js';

/** What a channel needs of its connection. */
export interface ChannelHost {
  /** Whether the other end grants credit at all; until it does, only the queue bounds a sender. */
  readonly grantsCredit: boolean;
  /** What the other end may leave unread on a channel before it is ended for it. */
  readonly unreadBytes: number;
  /** The same while nobody has taken the channel up. */
  readonly heldBytes: number;
  /** The channel has something to send: data, credit or its close. */
  schedule(channel: FramedChannel): void;
  scheduleCredit(channel: FramedChannel): void;
  /** Both directions have ended. */
  forget(channel: FramedChannel): void;
}

/** A message that waits to be sent, and whom to tell when its memory is free again. */
export interface Outgoing {
  readonly message: OwnedBytes;
  readonly sent: ((bytes: OwnedBytes) => void) | undefined;
}

export interface FramedChannelOptions {
  readonly id: number;
  readonly label: string;
  readonly protocol: string;
  /** What the other end grants from the start. */
  readonly sendCredit: number;
  readonly host: ChannelHost;
}

/**
 * One channel of a connection, for every engine that has its own queue. What waits to be sent is bounded by the other end's credit and by
 * CHANNEL_QUEUE_BYTES; what waits to be read, by the credit given.
 */
export class FramedChannel implements ByteChannel, Lane {
  readonly id: number;
  readonly label: string;
  readonly protocol: string;
  readonly #host: ChannelHost;
  #handlers: ByteChannelHandlers | undefined;

  #sendCredit: number;
  readonly #queue: Outgoing[] = [];
  #queuedBytes = 0;
  #isStarved = false;
  #closing = false;
  #closeError: ErrorRecord | undefined;
  #sentClose = false;

  /** Received and not yet consumed, including what has been consumed but not told to the other end. */
  #unread = 0;
  #owedCredit = 0;
  readonly #inbox: Uint8Array[] = [];
  #end: ChannelEnd | undefined;

  constructor({ id, label, protocol, sendCredit, host }: FramedChannelOptions) {
    this.id = id;
    this.label = label;
    this.protocol = protocol;
    this.#sendCredit = sendCredit;
    this.#host = host;
  }

  get credit(): number {
    const room = CHANNEL_QUEUE_BYTES - this.#queuedBytes;
    return this.#host.grantsCredit ? Math.min(this.#sendCredit, room) : room;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  start(handlers: ByteChannelHandlers): void {
    this.#handlers = handlers;
    for (const bytes of this.#inbox.splice(0)) handlers.message(bytes);
    if (this.#end !== undefined) handlers.end(this.#end);
  }

  send(bytes: OwnedBytes, sent?: (bytes: OwnedBytes) => void): void {
    if (this.#closing || this.#end !== undefined || bytes.length === 0) return;
    if (
      bytes.length > MESSAGE_BYTES ||
      this.#queuedBytes + bytes.length > CHANNEL_QUEUE_BYTES * 2
    ) {
      this.#queue.length = 0;
      this.#queuedBytes = 0;
      this.close({
        code: 'ERR_MESSAGE_TOO_LARGE',
        message: 'more was sent than the channel may hold',
      });
      return;
    }
    this.#sendCredit -= bytes.length;
    this.#queuedBytes += bytes.length;
    this.#queue.push({ message: bytes, sent });
    if (this.credit <= 0) this.#isStarved = true;
    this.#host.schedule(this);
  }

  consumed(bytes: number): void {
    if (bytes <= 0 || this.#end !== undefined) return;
    this.#owedCredit += bytes;
    // A quarter at a time: the other end never runs dry, and a key does not cost a frame of credit.
    if (this.#owedCredit >= CHANNEL_CREDIT_BYTES / 4) this.#host.scheduleCredit(this);
  }

  close(error?: ErrorRecord): void {
    if (this.#closing || this.#end !== undefined) return;
    this.#closing = true;
    this.#closeError = error;
    this.#host.schedule(this);
  }

  /** Ends the channel without what still waits to be sent; `last` is sent in its place. */
  cut(error: ErrorRecord, last?: OwnedBytes): void {
    if (this.#end !== undefined) return;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    if (last !== undefined && !this.#closing) this.send(last);
    this.close(error);
  }

  /** For the connection: the next thing to send, and whether more follows. */
  take(): Outgoing | { readonly close: ErrorRecord | undefined } | undefined {
    const outgoing = this.#queue.shift();
    if (outgoing !== undefined) {
      this.#queuedBytes -= outgoing.message.length;
      return outgoing;
    }
    if (!this.#closing || this.#sentClose) return undefined;
    this.#sentClose = true;
    return { close: this.#closeError };
  }

  /** For the connection: whether {@link take} has more. */
  get hasMore(): boolean {
    return this.#queue.length > 0 || (this.#closing && !this.#sentClose);
  }

  /** For the connection: credit that is due to the other end. */
  takeCredit(): number {
    const owed = this.#owedCredit;
    this.#owedCredit = 0;
    this.#unread -= owed;
    return owed;
  }

  /** For the connection: the sender has used up its credit and waits to be told of more. */
  get isStarved(): boolean {
    return this.#isStarved;
  }

  /** For the connection: there is room again for what was waiting. */
  announceRoom(): void {
    if (this.credit <= 0 || this.#closing || this.#end !== undefined) return;
    this.#isStarved = false;
    this.#handlers?.credit();
  }

  /** For the connection: the other end grants more. */
  grant(bytes: number): void {
    this.#sendCredit = Math.min(this.#sendCredit + bytes, 2 ** 32);
    this.announceRoom();
  }

  /** For the connection: a message arrived. `isLent`: its memory is the connection's. */
  receive(bytes: Uint8Array, isLent: boolean): void {
    if (this.#end !== undefined) return;
    this.#unread += bytes.length;
    const isHeld = this.#handlers === undefined;
    const limit = isHeld ? this.#host.heldBytes : this.#host.unreadBytes;
    if (this.#unread > limit || this.#inbox.length >= CHANNEL_HELD_MESSAGES) {
      const error = {
        code: 'ERR_INPUT_OVERRUN',
        message: 'more was sent than credit allowed',
      } as const;
      this.close(error);
      this.#inbox.length = 0;
      this.#finish({ type: 'closed', error });
      return;
    }
    const mustCopy = isLent && this.#handlers?.takesLent !== true;
    // Not `slice`, which of a Buffer is a view.
    const message = mustCopy ? new Uint8Array(bytes) : bytes;
    if (isHeld) this.#inbox.push(message);
    else this.#handlers?.message(message);
  }

  /** For the connection: the other end closed; what still waits here has no reader any more. */
  receiveClose(error: ErrorRecord | undefined): void {
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    if (!this.#closing) {
      this.#closing = true;
      this.#host.schedule(this);
    }
    this.#finish({ type: 'closed', error });
    this.#host.forget(this);
  }

  /** For the connection: it has ended. */
  connectionEnded(end: ChannelEnd): void {
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#finish(end);
  }

  #finish(end: ChannelEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#handlers?.end(end);
  }
}
