import type { ByteChannel } from '../byte-channel.js';
import { deferred, type Deferred } from '../deferred.js';
import { fromErrorRecord, HoldfastError } from '../errors.js';
import { RECORDING_WINDOW_BYTES } from '../limits.js';
import {
  formatRecordingLabel,
  recordingAnswerSchema,
  type RecordingAck,
  type RecordingInfo,
  type RecordingLabel,
} from '../wire/index.js';

/** A file of the agent as it comes in. */
export interface RecordingDownload {
  readonly recording: RecordingInfo;
  /** Length of the whole file. */
  readonly bytes: number;
  /** Its bytes from the offset that was asked for. @throws {HoldfastError} ERR_CHANNEL_CLOSED if cut. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Idempotent; `chunks` then ends. */
  close(): void;
}

/**
 * Fetches a part of a recording over a new channel. The agent sends no more than a window beyond what was
 * taken, since a data channel of a browser cannot push back.
 * @throws {HoldfastError} what the agent refused with, ERR_CHANNEL_CLOSED.
 */
export async function openDownload(
  openChannel: (label: string) => ByteChannel | Promise<ByteChannel>,
  label: RecordingLabel,
): Promise<RecordingDownload> {
  const channel = await openChannel(formatRecordingLabel(label));
  return await new Download(channel, label.offset).begun;
}

class Download implements RecordingDownload {
  readonly begun: Promise<RecordingDownload>;
  readonly #channel: ByteChannel;
  readonly #begun = deferred<RecordingDownload>();
  readonly #queue: Uint8Array[] = [];
  #wake: Deferred<undefined> | undefined;
  #recording: RecordingInfo | undefined;
  #bytes = 0;
  /** Position behind what has come, and behind what was taken and acknowledged. */
  #received: number;
  #taken: number;
  #acknowledged: number;
  #error: HoldfastError | undefined;
  #closed = false;

  constructor(channel: ByteChannel, offset: number) {
    this.#channel = channel;
    this.#received = offset;
    this.#taken = offset;
    this.#acknowledged = offset;
    this.begun = this.#begun.promise;
    channel.start({
      message: (bytes) => {
        channel.consumed(bytes.byteLength);
        this.#receive(bytes);
      },
      credit: () => undefined,
      end: (end) => {
        const error = end.type === 'closed' && end.error !== undefined ? end.error : undefined;
        this.#end(
          error === undefined
            ? new HoldfastError('ERR_CHANNEL_CLOSED', 'the download was cut off')
            : fromErrorRecord(error),
        );
      },
    });
  }

  get recording(): RecordingInfo {
    return this.#recording as RecordingInfo;
  }
  get bytes(): number {
    return this.#bytes;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      while (!this.#closed && this.#taken < this.#bytes) {
        const chunk = this.#queue.shift();
        if (chunk !== undefined) {
          this.#taken += chunk.length;
          this.#acknowledge();
          yield chunk;
        } else if (this.#error !== undefined) {
          throw this.#error;
        } else {
          this.#wake = deferred();
          await this.#wake.promise;
        }
      }
    } finally {
      this.close();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.length = 0;
    this.#channel.close();
    this.#wake?.resolve(undefined);
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed || this.#error !== undefined) return;
    if (this.#recording !== undefined) {
      this.#received += bytes.length;
      if (this.#received > this.#acknowledged + 2 * RECORDING_WINDOW_BYTES) {
        this.#end(new HoldfastError('ERR_PROTOCOL', 'the agent sends more than was asked for'));
        this.close();
        return;
      }
      this.#queue.push(bytes);
      this.#wake?.resolve(undefined);
      return;
    }
    try {
      const answer = recordingAnswerSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
      if (answer.type === 'error') throw fromErrorRecord(answer);
      this.#recording = answer.recording;
      this.#bytes = answer.bytes;
      this.#begun.resolve(this);
    } catch (error) {
      this.#end(
        error instanceof HoldfastError
          ? error
          : new HoldfastError('ERR_PROTOCOL', 'the answer about a recording cannot be read'),
      );
      this.close();
    }
  }

  /** Half a window at a time, so that one message serves many pieces. */
  #acknowledge(): void {
    if (this.#taken - this.#acknowledged < RECORDING_WINDOW_BYTES / 2) return;
    this.#acknowledged = this.#taken;
    const ack: RecordingAck = { type: 'ack', offset: this.#taken };
    this.#channel.send(new TextEncoder().encode(JSON.stringify(ack)));
  }

  #end(error: HoldfastError): void {
    this.#error ??= error;
    this.#begun.reject(error);
    this.#wake?.resolve(undefined);
  }
}
