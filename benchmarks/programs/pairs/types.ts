/** What is at the two ends of a WebRTC connection that nothing of an agent is around. */
export type PairKind =
  /** The package by itself, with its defaults. */
  | 'bare werift'
  | 'bare node-datachannel'
  /** The engine of Holdfast, as it runs in a peer worker. */
  | 'werift engine'
  | 'native engine';

/** What one end is told of the other, with the candidates that are known by then. */
export interface Description {
  readonly sdp: string;
  readonly candidates: readonly string[];
}

/** One channel at one end. */
export interface PairChannel {
  /** Whether a message may be sent now. */
  isWritable(): boolean;
  /** Sends `bytes`, which stay the caller's. */
  send(bytes: Uint8Array): void;
  /** Sets who is called when {@link isWritable} may have become true again. */
  onWritable(handler: () => void): void;
  /** Sets who gets messages; they are only valid during the call. */
  onMessage(handler: (bytes: Uint8Array) => void): void;
}

export interface PairChannels {
  readonly bulk: PairChannel;
  readonly echo: PairChannel;
}

/** One end on its way. */
export interface PairEnd {
  readonly description: Description;
  /** For the one that made the offer. Resolves with candidates that the other end has not been told of. */
  accept(answer: Description): Promise<readonly string[]>;
  /** For the one that answered: more candidates of the other end. */
  addCandidates(candidates: readonly string[]): Promise<void>;
  readonly channels: Promise<PairChannels>;
  close(): Promise<void>;
}

/** Makes both ends of one kind. */
export interface PairMaker {
  offer(): Promise<PairEnd>;
  answer(offer: Description): Promise<PairEnd>;
}

export const BULK = 'bulk';
export const ECHO = 'echo';
/** The largest message that both sides take by default, and that Holdfast sends. */
export const MESSAGE_BYTES = 64 * 1024;
/** What a bare end queues: enough to be busy, little enough for the echo beside it. */
export const HIGH_WATER_BYTES = 256 * 1024;
