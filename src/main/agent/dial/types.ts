import type { Clock, Closable, ErrorRecord, Logger } from '../../../shared/common/index.js';
import type {
  IceCandidate,
  IceServer,
  IssuerKey,
  Metadata,
} from '../../../shared/common/wire/index.js';

/** The agent's side of one signalling exchange. All of it is safe to call after the end. */
export interface SignalExchange {
  answer(sdp: string): void;
  candidate(candidate: IceCandidate): void;
  /** Refuses or ends the exchange; the client sees `error`. A connection that stands lives on. */
  end(error?: ErrorRecord): void;
  /** Sets who gets the client's candidates; those that came before are handed over at once. */
  onCandidate(handler: (candidate: IceCandidate) => void): void;
  /** The connection that it was for stands and is authenticated: from now on {@link onGone} is told. */
  stands(): void;
  /**
   * Sets who is told when the client of a connection that stands has left the broker: on purpose, or since its process
   * or network is gone. Not when the broker itself goes away.
   */
  onGone(handler: () => void): void;
}

/** Somebody wants in. Nothing has been verified yet. */
export type PeerOffer =
  | {
      readonly kind: 'webrtc';
      readonly session: string;
      readonly ticket: string;
      readonly sdp: string;
      readonly iceServers: readonly IceServer[];
      readonly exchange: SignalExchange;
    }
  /** Framed engine over a WebSocket of the broker. `url` and `headers` are for the peer worker. */
  | {
      readonly kind: 'relay';
      readonly session: string;
      readonly ticket: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly exchange: SignalExchange;
    };

/** Where offers come from. Ends by itself when the broker goes away; then the agent dials again. */
export interface PeerListener extends Closable {
  /** Sets who gets the offers; those that came before are handed over at once. */
  onOffer(handler: (offer: PeerOffer) => void): void;
  /**
   * Sets who is told of share links that were revoked; those told before are handed over at once. Absent:
   * where these offers come from there are no share links.
   */
  onRevoked?(handler: (shares: readonly string[]) => void): void;
  /** Resolves when no offer can come any more. Never rejects. */
  readonly closed: Promise<void>;
}

/** What a dial yields. `metadata` is read anew on each dial. */
export interface Dialed {
  /** Unchecked JSON; the agent parses it and treats what is malformed as a failed dial. */
  readonly metadata: unknown;
  readonly listener: PeerListener;
  /** Audience of tickets. */
  readonly workspaceId: string;
  readonly workspace: string;
  /** Issuers the broker names; which of them are trusted is the agent's decision (pinning). */
  readonly issuerKeys: readonly IssuerKey[];
  /** The owner's private Git key in OpenSSH PEM form, fetched on demand. Absent: there is none. */
  readonly gitKey?: (() => Promise<string>) | undefined;
}

/** Reaches the broker once. @throws whatever; the agent backs off and dials again. */
export type Dialer = (options: {
  readonly signal: AbortSignal;
  readonly logger: Logger;
}) => Promise<Dialed>;

export interface BrokerDialerOptions {
  /** Origin of the broker, `http:` or `https:`. */
  readonly brokerUrl: string;
  /** The agent token of the workspace. Sent in a header only; never logged. */
  readonly token: string;
  /** The agent's identity; only its public half is told, for clients to pin. */
  readonly identity: { readonly publicKey: string };
  /** `ssh-ed25519 AAAA...`. */
  readonly sshHostKey: string;
  readonly agentVersion: string;
  /** Ids of the share links that have peers as of now: the broker says which were revoked meanwhile. */
  readonly liveShares?: (() => readonly string[]) | undefined;
}

/** What the agent learns from each successful dial. */
export interface DialedWorkspace {
  readonly metadata: Metadata;
  readonly workspaceId: string;
  readonly workspace: string;
  readonly issuerKeys: readonly IssuerKey[];
  readonly gitKey?: (() => Promise<string>) | undefined;
}

export interface DialLoopOptions {
  readonly dialer: Dialer;
  readonly logger: Logger;
  /** Called after each successful dial, before the first offer of its listener. */
  readonly onDialed: (workspace: DialedWorkspace) => void;
  readonly onOffer: (offer: PeerOffer) => void;
  /** Nobody may be connected through these share links any more. */
  readonly onRevoked?: ((shares: readonly string[]) => void) | undefined;
  readonly clock?: Clock;
  /** Uniform in [0, 1), for the jitter. */
  readonly random?: () => number;
}

/** `waiting` is the back-off after a failed dial or a listener that ended. */
export type DialState = 'dialing' | 'connected' | 'waiting' | 'closed';

/** Keeps the agent reachable, for as long as it runs. */
export interface DialLoop extends Closable {
  readonly state: DialState;
  /** Why the last dial failed. Absent: it did not. */
  readonly lastError: ErrorRecord | undefined;
}
