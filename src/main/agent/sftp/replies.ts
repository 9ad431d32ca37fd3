import type { Writable } from 'node:stream';

/** What one queued reply costs beside its bytes: stream bookkeeping, so that tiny ones count too. */
const REPLY_OVERHEAD_BYTES = 256;

/**
 * The way out: replies that the client has not taken yet, and the room promised to those in the making.
 * Nothing is started that would go beyond `capBytes`, so a client that asks and never reads is held
 * rather than served from growing memory.
 */
export class Replies {
  readonly #output: Writable;
  readonly #capBytes: number;
  readonly #onRoom: () => void;
  #queued = 0;
  #promised = 0;

  /** `onRoom` is called whenever something was taken. */
  constructor(output: Writable, capBytes: number, onRoom: () => void) {
    this.#output = output;
    this.#capBytes = capBytes;
    this.#onRoom = onRoom;
  }

  /** Bytes sent and not taken yet, with their overhead. */
  get queued(): number {
    return this.#queued;
  }

  /** Whether a reply of `bytes` may be begun. One is always allowed, however large. */
  room(bytes: number): boolean {
    const used = this.#queued + this.#promised;
    return used === 0 || used + bytes + REPLY_OVERHEAD_BYTES <= this.#capBytes;
  }

  /** Sets room aside until {@link release}. */
  promise(bytes: number): void {
    this.#promised += bytes;
  }

  release(bytes: number): void {
    this.#promised -= bytes;
  }

  /** Sends a whole packet, and calls `taken` when its memory is free. Does nothing once the stream has ended or failed. */
  send(packet: Buffer, taken?: (packet: Buffer) => void): void {
    if (!this.#output.writable) return;
    const cost = packet.length + REPLY_OVERHEAD_BYTES;
    this.#queued += cost;
    this.#output.write(packet, () => {
      this.#queued -= cost;
      taken?.(packet);
      this.#onRoom();
    });
  }
}
