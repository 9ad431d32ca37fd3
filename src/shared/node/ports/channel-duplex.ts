import { Duplex } from 'node:stream';
import {
  fromErrorRecord,
  HoldfastError,
  joinBytes,
  limits,
  type ByteChannel,
  type ChannelEnd,
  type ErrorRecord,
} from '../../common/index.js';

type WriteCallback = (error: Error | null | undefined) => void;

export interface ChannelDuplexOptions {
  /**
   * Bytes that may wait in the stream because the writer ignores `write() === false`, as ssh2 does.
   * Beyond it the stream is destroyed with ERR_MESSAGE_TOO_LARGE.
   */
  readonly maxQueuedBytes: number;
  /** What a channel that is lost means to the reader. Default: ERR_WORKER_LOST, as between threads. */
  readonly lost?: ErrorRecord;
}

const WORKER_LOST: ErrorRecord = {
  code: 'ERR_WORKER_LOST',
  message: 'the worker that carried this channel ended',
};

/**
 * A byte stream over a {@link ByteChannel}, with back-pressure both ways and a hard cap on what a writer
 * can queue. Message boundaries vanish. Ending the writable side closes the channel.
 */
export class ChannelDuplex extends Duplex {
  readonly #channel: ByteChannel;
  readonly #maxQueuedBytes: number;
  readonly #lost: ErrorRecord;
  #resumeWrite: (() => void) | undefined;
  /** Received bytes that the reader has not taken yet, so not given back as credit. */
  #unreturned = 0;
  /** The other side has closed: what is still to be written has no receiver and is dropped. */
  #ended = false;

  constructor(channel: ByteChannel, { maxQueuedBytes, lost = WORKER_LOST }: ChannelDuplexOptions) {
    // Stated, since the default is four times as much from Node 22 on.
    super({ allowHalfOpen: true, autoDestroy: true, highWaterMark: limits.STREAM_BUFFER_BYTES });
    this.#channel = channel;
    this.#maxQueuedBytes = maxQueuedBytes;
    this.#lost = lost;
    channel.start({
      message: (bytes) => {
        this.#receive(bytes);
      },
      credit: () => {
        const resume = this.#resumeWrite;
        this.#resumeWrite = undefined;
        resume?.();
      },
      end: (end) => {
        this.#channelEnded(end);
      },
    });
  }

  override write(chunk: unknown, callback?: WriteCallback): boolean;
  override write(chunk: unknown, encoding: BufferEncoding, callback?: WriteCallback): boolean;
  override write(
    chunk: unknown,
    encodingOrCallback?: BufferEncoding | WriteCallback,
    callback?: WriteCallback,
  ): boolean {
    const accepted =
      typeof encodingOrCallback === 'string'
        ? super.write(chunk, encodingOrCallback, callback)
        : super.write(chunk, encodingOrCallback);
    if (this.writableLength > this.#maxQueuedBytes && !this.destroyed) {
      this.destroy(
        new HoldfastError(
          'ERR_MESSAGE_TOO_LARGE',
          'the peer takes output too slowly for what it asked for',
        ),
      );
    }
    return accepted;
  }

  override _read(): void {
    if (this.#unreturned === 0) return;
    this.#channel.consumed(this.#unreturned);
    this.#unreturned = 0;
  }

  override _write(
    chunk: Buffer,
    _encoding: string,
    callback: (error?: Error | null) => void,
  ): void {
    this.#sendAll([chunk], callback);
  }

  /** Small writes that piled up leave as one message: ssh2 without its addon writes 3-4 per packet. */
  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#sendAll(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#channel.close();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#channel.close(
      error instanceof HoldfastError ? { code: error.code, message: error.message } : undefined,
    );
    const resume = this.#resumeWrite;
    this.#resumeWrite = undefined;
    resume?.();
    callback(error);
  }

  #receive(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.push(chunk)) this.#channel.consumed(chunk.length);
    else this.#unreturned += chunk.length;
  }

  #channelEnded(end: ChannelEnd): void {
    if (end.type === 'closed' && end.error === undefined) {
      // The reader still gets what is buffered; a data channel has no half-close. A write that waits
      // for credit would wait for ever, and an error for it would take what is buffered away.
      this.#ended = true;
      this.push(null);
      this.end();
      const resume = this.#resumeWrite;
      this.#resumeWrite = undefined;
      resume?.();
      return;
    }
    const reason =
      end.type === 'lost'
        ? this.#lost
        : (end.error ?? { code: 'ERR_CHANNEL_CLOSED', message: 'closed' });
    this.destroy(fromErrorRecord(reason));
  }

  #sendAll(chunks: readonly Buffer[], callback: (error?: Error | null) => void): void {
    let index = 0;
    let at = 0;
    const next = (): void => {
      while (index < chunks.length && !this.#ended) {
        if (this.destroyed) {
          callback(
            new HoldfastError('ERR_CHANNEL_CLOSED', 'the channel closed before this was sent'),
          );
          return;
        }
        if (this.#channel.credit <= 0) {
          this.#resumeWrite = next;
          return;
        }
        // Copied: what a writer hands in may be a slice of a pool, which must never be transferred.
        let room = Math.min(limits.CHANNEL_MESSAGE_BYTES, this.#channel.credit);
        const parts: Buffer[] = [];
        while (room > 0 && index < chunks.length) {
          const chunk = chunks[index] as Buffer;
          const part = chunk.subarray(at, at + room);
          parts.push(part);
          room -= part.length;
          at += part.length;
          if (at === chunk.length) {
            index += 1;
            at = 0;
          }
        }
        this.#channel.send(joinBytes(parts));
      }
      callback();
    };
    next();
  }
}
