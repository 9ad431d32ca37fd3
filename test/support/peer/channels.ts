import type { ByteChannel, ChannelEnd } from '../../../src/shared/common/index.js';
import type { PeerChannel, PeerConnection } from '../../../src/shared/node/peer/index.js';

/** Collects what a channel receives; consumes it at once unless told to hold. */
export class Collector {
  readonly messages: Uint8Array[] = [];
  bytes = 0;
  end: ChannelEnd | undefined;
  #unconsumed = 0;
  #hold: boolean;
  readonly #channel: ByteChannel;
  readonly #waiters: {
    readonly ready: () => boolean;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  onCredit: () => void = () => undefined;

  constructor(channel: ByteChannel, { hold = false }: { hold?: boolean } = {}) {
    this.#channel = channel;
    this.#hold = hold;
    channel.start({
      message: (bytes) => {
        this.messages.push(bytes);
        this.bytes += bytes.length;
        if (this.#hold) this.#unconsumed += bytes.length;
        else channel.consumed(bytes.length);
        this.#check();
      },
      credit: () => {
        this.onCredit();
      },
      end: (end) => {
        this.end = end;
        this.#check();
      },
    });
  }

  /** Consumes what was held and all that comes. */
  release(): void {
    this.#hold = false;
    this.#channel.consumed(this.#unconsumed);
    this.#unconsumed = 0;
  }

  /** Resolves once `ready` holds; looked at after each event. Fails if the channel ends before. */
  until(ready: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ ready, resolve, reject });
      this.#check();
    });
  }

  ended(): Promise<ChannelEnd> {
    return this.until(() => this.end !== undefined).then(() => this.end as ChannelEnd);
  }

  text(): string {
    return Buffer.concat(this.messages).toString();
  }

  #check(): void {
    for (const { ready, resolve, reject } of this.#waiters) {
      if (ready()) resolve();
      else if (this.end !== undefined) {
        reject(
          new Error(`the channel ended after ${this.bytes} bytes: ${JSON.stringify(this.end)}`),
        );
      }
    }
  }
}

/** The next channel that the other end opens. */
export function nextChannel(connection: PeerConnection): Promise<PeerChannel> {
  return new Promise((resolve) => {
    connection.onChannel(resolve);
  });
}

/** Sends `total` bytes of a pattern that shows any loss, repeat or swap; heeds credit. */
export function sendPattern(
  channel: ByteChannel,
  collector: Collector,
  total: number,
): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0;
    const next = (): void => {
      while (channel.credit > 0 && sent < total) {
        const bytes = pattern(sent, Math.min(64 * 1024, channel.credit, total - sent));
        sent += bytes.length;
        channel.send(bytes);
      }
      if (sent === total) resolve();
    };
    collector.onCredit = next;
    next();
  });
}

/** Position `at` holds a byte that depends on all of the position. */
export function pattern(from: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) bytes[at] = patternByte(from + at);
  return bytes;
}

export function patternByte(at: number): number {
  return (at ^ (at >> 8) ^ (at >> 16)) & 0xff;
}

/** Offset of the first byte that is not as {@link pattern} has it. Absent: all are. */
export function firstWrongByte(messages: readonly Uint8Array[]): number | undefined {
  let at = 0;
  for (const message of messages)
    for (const byte of message) {
      if (byte !== patternByte(at)) return at;
      at += 1;
    }
  return undefined;
}
