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
import { isFrameBuffer, returnFrames } from './frame-buffers.js';

/**
 * What crosses the port of a channel, the same in both directions. Bytes are data: they cost credit, and their buffer
 * is transferred. They go without an object around them, which would cost as much again as the bytes.
 */
export type ChannelPortMessage =
  | Uint8Array
  /** The receiver has dealt with this many bytes. Of the buffers that it is done with, those to be used again. */
  | { readonly type: 'credit'; readonly bytes: number; readonly buffers: readonly ArrayBuffer[] }
  /** Last message of its direction. A port that closes without one has lost its owner. */
  | { readonly type: 'close'; readonly error?: ErrorRecord | undefined };

/** A port and the credit that each of its two ends starts with; travels along with the port. */
export interface PortHandle {
  readonly port: MessagePort;
  readonly credit: number;
}

/** How long buffers wait for credit that they could go back with. */
const RETURN_MS = 500;

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
  /** Go back with the next credit. */
  #done: ArrayBuffer[] = [];

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
    this.#port.postMessage(bytes satisfies ChannelPortMessage, [bytes.buffer]);
  }

  consumed(bytes: number): void {
    if (this.#ended || bytes <= 0) return;
    const buffers = this.#done;
    this.#done = [];
    this.#port.postMessage(
      { type: 'credit', bytes, buffers } satisfies ChannelPortMessage,
      buffers,
    );
  }

  /** The memory of `bytes`, which came over this port, is not used any more. */
  giveBack(bytes: OwnedBytes): void {
    const { buffer } = bytes;
    if (this.#ended || !isFrameBuffer(buffer)) return;
    this.#done.push(buffer);
    waiting.add(this);
    timer ??= setInterval(forgetWaiting, RETURN_MS).unref();
  }

  /** No credit has come that they could go back with. */
  forgetBuffers(): void {
    this.#done = [];
  }

  close(error?: ErrorRecord): void {
    if (this.#sentClose || this.#ended) return;
    this.#sentClose = true;
    this.#port.postMessage({ type: 'close', error } satisfies ChannelPortMessage);
  }

  #receive(message: ChannelPortMessage, handlers: ByteChannelHandlers): void {
    if (this.#ended) return;
    if (message instanceof Uint8Array) {
      handlers.message(message);
      return;
    }
    switch (message.type) {
      case 'credit':
        this.#credit += message.bytes;
        if (message.buffers.length > 0) returnFrames(message.buffers);
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
    this.#done = [];
    this.#port.close();
    this.#handlers?.end(end);
  }
}

/** Of this thread: channels with buffers to give back. One that goes on has them gone by the next look. */
const waiting = new Set<PortChannel>();
let timer: NodeJS.Timeout | undefined;

function forgetWaiting(): void {
  for (const channel of waiting) channel.forgetBuffers();
  waiting.clear();
  clearInterval(timer);
  timer = undefined;
}

/** The usual credit of a port between two threads of one process. */
export const DEFAULT_PORT_CREDIT = limits.PORT_CREDIT_BYTES;
