import type { OwnedBytes } from '../byte-channel.js';
import type { ErrorRecord } from '../errors.js';

/** Label and protocol of a data channel, as RFC 8832 has them. */
export interface DataChannelNames {
  readonly label: string;
  readonly protocol: string;
}

/**
 * What a connection needs of the WebRTC stack under it: streams of messages, each opened by either end under
 * a number. What happens comes by {@link StackEvents}; nothing here throws for what the other end does.
 */
export interface StreamStack {
  /** Whether this end may lose or swap what comes before it has taken a stream up; see `LinkFeatures.waits`. */
  readonly waits: boolean;
  /** Whether more should be handed over now. `room` follows when there is some again. */
  readonly hasRoom: boolean;
  /** Whether all that was handed over has left, as far as the stack can tell. */
  readonly isIdle: boolean;
  /** Opens a stream under a number that no other has; sending may begin at once. */
  open(names: DataChannelNames): number;
  /** Longer messages should go in parts no longer than this, where the other end joins them. Absent: none should. */
  readonly partBytes: number | undefined;
  /** Whether `send` copies: the memory of `bytes` is free again when it returns. */
  readonly copies: boolean;
  /** Sends one message after what was sent on the stream. Keeps `bytes`, unless it copies. */
  send(id: number, bytes: OwnedBytes): void;
  /** Sends a text message, in its turn. */
  sendText(id: number, text: string): void;
  /**
   * Ends a stream when all that was sent on it, and on the stream `after` as far as the stack can tell, has
   * arrived. `freed` follows. Does nothing for a stream that has been ended.
   */
  end(id: number, after?: number): void;
  /** Makes the other end answer, whatever it runs. Absent: the stack has no means for it. */
  ping?(): void;
  /** Drops the connection. Resolves when everything under it has ended. Idempotent. */
  close(): Promise<void>;
}

/** What a stack tells its connection. */
export interface StackEvents {
  /** Streams can be opened. Called once, before anything about streams. */
  connected(): void;
  /**
   * The other end has opened a stream. Returns whether that end waits with more than a first message until
   * it is told that the stream was taken up.
   */
  opened(id: number, names: DataChannelNames): boolean;
  /** A whole message of a stream; `bytes` is the receiver's to keep. */
  message(id: number, bytes: OwnedBytes): void;
  /** The same of a text message; `bytes` is UTF-8. */
  text(id: number, bytes: OwnedBytes): void;
  /** The other end has ended a stream: nothing more comes on it. */
  ended(id: number): void;
  /** A stream has ended in both directions; its number may be used again. */
  freed(id: number): void;
  /** Anything authentic arrived. */
  heard(): void;
  /** There may be room to send more. */
  room(): void;
  /** It is over. Absent error: the other end ended it on purpose. */
  closed(error: ErrorRecord | undefined): void;
}
