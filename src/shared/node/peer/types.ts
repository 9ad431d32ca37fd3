import type { ByteChannel, Clock, Closable, ErrorRecord, OwnedBytes } from '../../common/index.js';
import type { IceCandidate, IceServer } from '../../common/wire/index.js';

/** How bytes travel: see DESIGN, "Engines behind one adapter". */
export type EngineName = 'werift' | 'framed' | 'native';

/** A channel of a connection: a {@link ByteChannel} with the two strings that routing goes by. */
export interface PeerChannel extends ByteChannel {
  readonly label: string;
  readonly protocol: string;
  /** Ends the channel without what still waits to be sent; `last` is sent in its place. */
  cut(error: ErrorRecord, last?: OwnedBytes): void;
}

/** What ties a connection to the two ends' certificates; both ends sign it (see `peerTranscript`). */
export interface PeerBinding {
  readonly engine: EngineName;
  /** SHA-256 of each DTLS certificate, upper-case hex with colons. `absent` for `framed`. */
  readonly localFingerprint: string;
  readonly remoteFingerprint: string;
  /** DTLS exporter value, 32 bytes. Absent: the engine has none (`framed`, a browser). */
  readonly exporter?: Uint8Array | undefined;
}

/** Why a connection ended. Absent error: it was closed on purpose by either side. */
export interface PeerEnd {
  readonly error?: ErrorRecord | undefined;
}

export interface OpenChannelOptions {
  /** ASCII, at most 128 bytes. */
  readonly label: string;
  readonly protocol: string;
}

/**
 * One connection to one peer, whatever the engine. `close` sends what is queued first, within a bound.
 * A peer's malformed packet ends this connection with ERR_PROTOCOL and nothing else.
 */
export interface PeerConnection extends Closable {
  readonly engine: EngineName;
  /** Resolves once, when the connection has ended for whatever reason. Never rejects. */
  readonly closed: Promise<PeerEnd>;
  /** @throws {HoldfastError} ERR_PEER_AUTH where the engine finds the handshake unsafe. */
  binding(): PeerBinding;
  /** Opens a channel; sending may begin at once. @throws {HoldfastError} ERR_PEER_LIMIT, ERR_PEER_LOST. */
  openChannel(options: OpenChannelOptions): PeerChannel;
  /**
   * Sets who gets the channels that the peer opens; called synchronously before the first message of
   * the channel could be lost. Channels that came before are handed over at once.
   */
  onChannel(handler: (channel: PeerChannel) => void): void;
  /** Somebody says that the peer has gone: ends the connection after PROBE_MS of silence. */
  probe(): void;
  /**
   * Ends it at once, as a network that fails does: what is queued is lost, there is no goodbye, and all
   * channels are lost. Absent: the engine can only {@link close}.
   */
  cut?(): void;
}

/** How a WebRTC connection is set up, whatever the engine. */
export interface WebRtcOptions {
  readonly iceServers: readonly IceServer[];
  /** A candidate of ours for the other end. */
  readonly onCandidate: (candidate: IceCandidate) => void;
  readonly clock?: Clock | undefined;
  /** For tests of the heartbeat. */
  readonly heartbeatMs?: number | undefined;
}

/** A WebRTC connection on its way. */
export interface PeerAttempt {
  /** The offer, or the answer, to be sent to the other end. */
  readonly sdp: string;
  /**
   * Resolves when channels can be opened; nobody has been authenticated then.
   * @throws {HoldfastError} ERR_PEER_TIMEOUT, ERR_PEER_LOST.
   */
  readonly connection: Promise<PeerConnection>;
  /** A candidate of the other end. One that the engine cannot read is dropped. */
  addCandidate(candidate: IceCandidate): void;
  /** Gives up, or closes the connection if it stands. Idempotent. */
  abandon(): Promise<void>;
}

/** An attempt that waits for the answer to its offer. */
export interface PeerOffer extends PeerAttempt {
  /** @throws {HoldfastError} ERR_PROTOCOL if the SDP is unusable. */
  setAnswer(sdp: string): Promise<void>;
}
