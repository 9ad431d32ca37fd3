import type { MessagePort } from 'node:worker_threads';
import {
  assertNever,
  limits,
  type ByteChannel,
  type ByteChannelHandlers,
  type ChannelEnd,
  type ErrorRecord,
  type OwnedBytes,
} from '../../common/index.js';

/** What crosses the port of a channel, the same in both directions. */
export type ChannelPortMessage =
  /** Costs credit. The buffer of `bytes` is transferred. */
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  /** The receiver has dealt with this many bytes. */
  | { readonly type: 'credit'; readonly bytes: number }
  /** Last message of its direction. A port that closes without one has lost its owner. */
  | { readonly type: 'close'; readonly error?: ErrorRecord | undefined };

/** A port and the credit that each of its two ends starts with; travels along with the port. */
export interface PortHandle {
  readonly port: MessagePort;
  readonly credit: number;
}

/**
 * A {@link ByteChannel} over a MessagePort. Both ends start with the same credit, so nobody waits a
 * round trip before the first byte. Owns the port and closes it when both directions have ended.
 */
export class PortChannel implements ByteChannel {
  readonly #port: MessagePort;
  #credit: number;
  #handlers: ByteChannelHandlers | undefined;
  #sentClose = false;
  #ended = false;

  constructor({ port, credit }: PortHandle) {
    this.#port = port;
    this.#credit = credit;
  }

  get credit(): number {
    return this.#credit;
  }

  start(handlers: ByteChannelHandlers): void {
    this.#handlers = handlers;
    this.#port.on('message', (message: ChannelPortMessage) => {
      this.#receive(message, handlers);
    });
    // Fires after the last message, also when the thread at the other end has died.
    this.#port.on('close', () => {
      this.#end({ type: 'lost' });
    });
  }

  send(bytes: OwnedBytes): void {
    if (this.#sentClose || this.#ended) return;
    this.#credit -= bytes.byteLength;
    this.#port.postMessage({ type: 'data', bytes } satisfies ChannelPortMessage, [bytes.buffer]);
  }

  consumed(bytes: number): void {
    if (this.#ended || bytes <= 0) return;
    this.#port.postMessage({ type: 'credit', bytes } satisfies ChannelPortMessage);
  }

  close(error?: ErrorRecord): void {
    if (this.#sentClose || this.#ended) return;
    this.#sentClose = true;
    this.#port.postMessage({ type: 'close', error } satisfies ChannelPortMessage);
  }

  #receive(message: ChannelPortMessage, handlers: ByteChannelHandlers): void {
    if (this.#ended) return;
    switch (message.type) {
      case 'data':
        handlers.message(message.bytes);
        return;
      case 'credit':
        this.#credit += message.bytes;
        if (this.#credit > 0) handlers.credit();
        return;
      case 'close':
        this.close();
        this.#end({ type: 'closed', error: message.error });
        return;
      default:
        assertNever(message);
    }
  }

  #end(end: ChannelEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#port.close();
    this.#handlers?.end(end);
  }
}

/** The usual credit of a port between two threads of one process. */
export const DEFAULT_PORT_CREDIT = limits.PORT_CREDIT_BYTES;
