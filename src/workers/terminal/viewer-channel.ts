import type { ByteChannel, OwnedBytes } from '../../shared/common/index.js';

/**
 * The sending side of a viewer's channel: knows how much is on its way. Every engine and port gives
 * credit back once bytes have left, so what is sent and not given back has not arrived.
 */
export class ViewerChannel {
  readonly channel: ByteChannel;
  readonly #initialCredit: number;
  #ended = false;

  constructor(channel: ByteChannel) {
    this.channel = channel;
    this.#initialCredit = channel.credit;
  }

  /** Bytes that may be sent now. */
  get credit(): number {
    return this.#ended ? 0 : this.channel.credit;
  }

  /** Bytes sent and not yet taken by the other side. */
  get outstanding(): number {
    return this.#ended ? 0 : this.#initialCredit - this.channel.credit;
  }

  send(bytes: OwnedBytes): void {
    if (!this.#ended) this.channel.send(bytes);
  }

  consumed(bytes: number): void {
    this.channel.consumed(bytes);
  }

  /** No more is sent; the channel closes after what was. */
  close(error?: Parameters<ByteChannel['close']>[0]): void {
    if (this.#ended) return;
    this.#ended = true;
    this.channel.close(error);
  }
}
