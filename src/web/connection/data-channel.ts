import {
  HoldfastError,
  limits,
  toErrorRecord,
  type ByteChannel,
  type ByteChannelHandlers,
  type ChannelEnd,
  type OwnedBytes,
} from '../../shared/common/index.js';

/**
 * A {@link ByteChannel} over an RTCDataChannel. Sending: the browser's own buffer is the queue, and credit
 * is what it has room for up to a bound. Receiving: a data channel cannot push back, so what is unread is
 * bounded by the protocol above (the window of a terminal), and beyond that the channel is closed.
 */
export class DataChannel implements ByteChannel {
  readonly #channel: RTCDataChannel;
  #handlers: ByteChannelHandlers | undefined;
  #early: Uint8Array[] = [];
  /** Sent before the channel was open. */
  #queue: OwnedBytes[] = [];
  #queuedBytes = 0;
  #unread = 0;
  #closing = false;
  #end: ChannelEnd | undefined;

  constructor(channel: RTCDataChannel) {
    this.#channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = limits.CHANNEL_MESSAGE_BYTES;
    channel.addEventListener('open', () => {
      for (const bytes of this.#queue.splice(0)) this.#channel.send(bytes);
      this.#queuedBytes = 0;
      if (this.#closing) this.#channel.close();
      else this.#handlers?.credit();
    });
    channel.addEventListener('bufferedamountlow', () => {
      this.#handlers?.credit();
    });
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (data instanceof ArrayBuffer) this.#receive(new Uint8Array(data));
      else this.#fail(new HoldfastError('ERR_PROTOCOL', 'a text message on a data channel'));
    });
    channel.addEventListener('close', () => {
      this.finish({ type: 'closed' });
    });
  }

  get credit(): number {
    return limits.TERMINAL_WINDOW_BYTES - this.#queuedBytes - this.#channel.bufferedAmount;
  }

  start(handlers: ByteChannelHandlers): void {
    this.#handlers = handlers;
    for (const bytes of this.#early.splice(0)) handlers.message(bytes);
    if (this.#end !== undefined) handlers.end(this.#end);
  }

  send(bytes: OwnedBytes): void {
    if (this.#closing || this.#end !== undefined) return;
    if (this.#channel.readyState === 'connecting') {
      this.#queue.push(bytes);
      this.#queuedBytes += bytes.length;
    } else if (this.#channel.readyState === 'open') {
      try {
        this.#channel.send(bytes);
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  consumed(bytes: number): void {
    this.#unread -= bytes;
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#channel.readyState !== 'connecting') this.#channel.close();
  }

  /** The connection under it has ended, or the channel itself. Tells the handlers once. */
  finish(end: ChannelEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#closing = true;
    this.#handlers?.end(end);
  }

  #receive(bytes: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#unread += bytes.length;
    if (this.#unread > limits.CHANNEL_UNREAD_BYTES) {
      this.#fail(new HoldfastError('ERR_INPUT_OVERRUN', 'the agent sends faster than is read'));
    } else if (this.#handlers === undefined) {
      this.#early.push(bytes);
    } else {
      this.#handlers.message(bytes);
    }
  }

  #fail(error: unknown): void {
    this.close();
    this.finish({ type: 'closed', error: toErrorRecord(error) });
  }
}
