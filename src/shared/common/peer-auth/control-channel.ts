import type { ByteChannel, ChannelEnd } from '../byte-channel.js';
import type { Clock, Timer } from '../clock.js';
import { deferred } from '../deferred.js';
import { fromErrorRecord, HoldfastError, wrapError } from '../errors.js';
import { CONTROL_MESSAGE_BYTES, MESSAGE_BYTES, PEER_AUTH_BYTES, PEER_AUTH_MS } from '../limits.js';
import { encodeControl } from './handshake.js';

export interface ControlChannelOptions {
  readonly channel: ByteChannel;
  readonly clock: Clock;
  readonly onMessage: (bytes: Uint8Array) => void;
  /** The channel is over, or broke a rule; called once. */
  readonly onEnd: (error: HoldfastError) => void;
}

/** What may wait for credit: a full list of terminals. Beyond it the other end does not read. */
const OUTBOX_BYTES = 4 * 1024 * 1024;

/**
 * JSON messages over the control channel, with the limits of a handshake until {@link authenticated}:
 * so many bytes in all and so much time. After that each message has a limit of its own.
 */
export class ControlChannel {
  readonly #options: ControlChannelOptions;
  readonly #timer: Timer;
  readonly #outbox: Uint8Array<ArrayBuffer>[] = [];
  #outboxBytes = 0;
  #handshakeBytes = 0;
  #isAuthenticated = false;
  #ended = false;
  readonly #gone = deferred<undefined>();

  constructor(options: ControlChannelOptions) {
    this.#options = options;
    this.#timer = options.clock.after(PEER_AUTH_MS, () => {
      this.fail(new HoldfastError('ERR_PEER_TIMEOUT', 'the handshake took too long'));
    });
  }

  start(): void {
    this.#options.channel.start({
      message: (bytes) => {
        this.#receive(bytes);
      },
      credit: () => {
        this.#flush();
      },
      end: (end) => {
        this.#gone.resolve(undefined);
        this.#end(endError(end));
      },
    });
  }

  /** Resolves when the channel itself has ended: all that was sent before a close has left. */
  get gone(): Promise<undefined> {
    return this.#gone.promise;
  }

  /** The handshake is over; its limits no longer apply. */
  authenticated(): void {
    this.#isAuthenticated = true;
    this.#timer.cancel();
  }

  send(message: unknown): void {
    if (this.#ended) return;
    const bytes = encodeControl(message);
    this.#outbox.push(bytes);
    this.#outboxBytes += bytes.length;
    if (this.#outboxBytes > OUTBOX_BYTES)
      this.fail(new HoldfastError('ERR_MESSAGE_TOO_LARGE', 'the other end does not read'));
    else this.#flush();
  }

  /** Ends the channel because of `error`; the other end is told its code. */
  fail(error: HoldfastError): void {
    if (this.#ended) return;
    this.#options.channel.close({ code: error.code, message: error.message });
    this.#end(error);
  }

  /** Ends the channel on purpose. */
  close(): void {
    if (this.#ended) return;
    this.#options.channel.close();
    this.#end(new HoldfastError('ERR_CLOSED', 'the control channel was closed'));
  }

  #flush(): void {
    while (this.#outbox.length > 0 && this.#options.channel.credit > 0) {
      const bytes = this.#outbox.shift() as Uint8Array<ArrayBuffer>;
      this.#outboxBytes -= bytes.length;
      this.#options.channel.send(bytes);
    }
  }

  #receive(bytes: Uint8Array): void {
    if (this.#ended) return;
    const length = bytes.length;
    this.#handshakeBytes += length;
    const isOver = this.#isAuthenticated
      ? length > Math.max(CONTROL_MESSAGE_BYTES, MESSAGE_BYTES)
      : this.#handshakeBytes > PEER_AUTH_BYTES;
    if (isOver) {
      this.fail(new HoldfastError('ERR_MESSAGE_TOO_LARGE', 'a control message is over the limit'));
      return;
    }
    try {
      this.#options.onMessage(bytes);
    } catch (error) {
      this.fail(wrapError(error, 'ERR_INTERNAL', 'control message'));
    }
    this.#options.channel.consumed(length);
  }

  #end(error: HoldfastError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer.cancel();
    this.#outbox.length = 0;
    this.#options.onEnd(error);
  }
}

function endError(end: ChannelEnd): HoldfastError {
  if (end.type === 'lost')
    return new HoldfastError('ERR_PEER_LOST', 'the connection to the other end was lost');
  return end.error === undefined
    ? new HoldfastError('ERR_CHANNEL_CLOSED', 'the other end closed the control channel')
    : fromErrorRecord(end.error);
}
