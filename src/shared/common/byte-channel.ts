import type { ErrorRecord } from './errors.js';

/**
 * Bytes whose buffer is nobody else's, so that it can be transferred to another thread. They may be a part of it:
 * whoever sends them on may write what comes before them into the rest.
 */
export type OwnedBytes = Uint8Array<ArrayBuffer>;

/** How a channel ended. */
export type ChannelEnd =
  /** The other side closed it, after everything it had sent. */
  | { readonly type: 'closed'; readonly error?: ErrorRecord | undefined }
  /** The other side vanished without closing: its worker or process died. Data may be missing. */
  | { readonly type: 'lost' };

export interface ByteChannelHandlers {
  /**
   * `message` is done with the bytes when it returns, so that they may lie in memory that is used again. Absent:
   * it owns them.
   */
  readonly takesLent?: boolean;
  /** One message, in order. The handler owns `bytes`, unless it {@link takesLent}, and later calls `consumed` for them. */
  message(bytes: Uint8Array): void;
  /** `credit` has grown. */
  credit(): void;
  /** Nothing follows. Called once, also if this side called `close` and the other then ended. */
  end(end: ChannelEnd): void;
}

/**
 * An ordered, reliable channel of messages with byte credit in both directions: the one shape behind a
 * data channel, a channel of the framed engine and a port between threads.
 */
export interface ByteChannel {
  /**
   * Bytes that may be sent now. Whoever sends bulk waits for the `credit` handler when it is used up;
   * small last words (exit, error) may overdraw it, and it is negative until they are paid back.
   */
  readonly credit: number;
  /** Begins delivery; nothing is lost that arrived before. Called once. */
  start(handlers: ByteChannelHandlers): void;
  /**
   * Sends one message. Takes ownership of `bytes`; does nothing once closed. `sent` is called when their memory is
   * free again, where the channel knows that: for whoever wants to use it anew.
   */
  send(bytes: OwnedBytes, sent?: (bytes: OwnedBytes) => void): void;
  /** Gives `bytes` of received data back as credit to the other side. */
  consumed(bytes: number): void;
  /** Ends the channel after what was sent. Idempotent. */
  close(error?: ErrorRecord): void;
}
