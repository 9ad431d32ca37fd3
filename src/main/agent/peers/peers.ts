import { closeSync } from 'node:fs';
import { randomBytes, type KeyObject } from 'node:crypto';
import {
  HoldfastError,
  limits,
  once,
  systemClock,
  toErrorRecord,
  type Clock,
  type Closable,
  type ConnectionId,
  type ErrorCode,
  type Logger,
} from '../../../shared/common/index.js';
import { Permissions, type IssuerKey } from '../../../shared/common/wire/index.js';
import {
  nodePeerCrypto,
  nodeSigner,
  publicKeyText,
  type WebRtcChoice,
} from '../../../shared/node/peer/index.js';
import type { FaultKind } from '../../../shared/node/ports/index.js';
import type { PeerOffer } from '../dial/types.js';
import { WorkerPool } from '../worker-pool/index.js';
import { LocalListener } from './local-listener.js';
import { NativeHost } from './native-host.js';
import { PeerSession, type SessionContext, type SessionOptions } from './peer-session.js';
import type { AgentRequests } from './permitted-requests.js';
import { Shares } from './shares.js';
import { TicketVerifier } from './tickets.js';
import type { IncomingChannel } from './types.js';

export interface PeersOptions {
  readonly logger: Logger;
  /** The agent's Ed25519 identity key, which clients pin. */
  readonly identity: KeyObject;
  readonly agentVersion: string;
  /** Keys whose tickets are believed, as of now. */
  readonly issuerKeys: () => readonly IssuerKey[];
  /** Absent until the first dial; then no ticket is accepted, but local connections are. */
  readonly workspaceId: () => string | undefined;
  /** Shown to clients. */
  readonly workspace: () => string;
  /** Gets every channel that a verified peer opens, but for the control channel. */
  readonly onChannel: (channel: IncomingChannel) => void;
  /** Answers requests on control channels. What a peer may see or end has been checked. */
  readonly requests: AgentRequests;
  readonly workers?: PeerWorkersOptions | undefined;
  /** Absent: `werift`. */
  readonly webrtc?: PeerWebRtcOptions | undefined;
  readonly clock?: Clock | undefined;
  /** For tests of the heartbeat. */
  readonly heartbeatMs?: number | undefined;
}

export interface PeerWorkersOptions {
  /** Threads; 2 unless given. */
  readonly size?: number | undefined;
  /** Opens {@link Peers.injectFault}. */
  readonly faults?: boolean | undefined;
  readonly beatMs?: number | undefined;
  readonly maxHeapMb?: number | undefined;
}

/** What carries WebRTC. */
export interface PeerWebRtcOptions {
  readonly choice: WebRtcChoice;
  /** Where the native host listens: in the 0700 state folder. */
  readonly hostPath: string;
}

/** The agent's connections. */
export interface Peers extends Closable {
  /** Starts the workers, and the native host if it is wanted. @throws {HoldfastError} ERR_ENGINE_UNAVAILABLE. */
  start(): Promise<void>;
  /** Verifies the ticket and answers, or refuses through the exchange of the offer. Never throws. */
  acceptOffer(offer: PeerOffer): void;
  /** Takes a connected unix socket of this user; closes `fd` in any case. Never throws. */
  acceptLocal(fd: number): void;
  /** Listens on a unix socket until {@link close}. @throws {HoldfastError} ERR_STATE_DIR. */
  listenLocal(path: string): Promise<void>;
  /** Ends whoever is connected through these share links, and refuses their tickets. */
  revokeShares(ids: readonly string[]): void;
  /** Ids of the share links that have peers now. */
  readonly liveShares: readonly string[];
  readonly counts: { readonly peers: number; readonly unauthenticated: number };
  /** Worker threads die so often that no new peer is accepted. */
  readonly degraded: boolean;
  /**
   * Test door: kills the worker of the newest connection. Does nothing unless `workers.faults` was set,
   * which only tests do.
   */
  injectFault(kind: FaultKind): void;
}

const WORKER_ENTRY = new URL('../../../workers/peer/entry.js', import.meta.url);
const DEFAULT_WORKERS = 2;
const FINAL: readonly ErrorCode[] = ['ERR_DEGRADED', 'ERR_WORKER_LOST', 'ERR_CLOSED'];
const DEFAULT_HEAP_MB = 512;

/** Accepts peers into worker threads and authenticates them. Runs on main. */
export function createPeers(options: PeersOptions): Peers {
  return new PeerRegistry(options);
}

class PeerRegistry implements Peers {
  readonly #logger: Logger;
  readonly #pool: WorkerPool;
  readonly #tickets: TicketVerifier;
  readonly #context: SessionContext;
  readonly #sessions = new Set<PeerSession>();
  readonly #shares: Shares;
  readonly #listeners: LocalListener[] = [];
  readonly #webrtc: PeerWebRtcOptions | undefined;
  readonly #host: NativeHost | undefined;
  #usesHost = false;
  /** Offers whose ticket is being checked, so that a burst of them cannot slip past the limits. */
  #verifying = 0;
  #closing = false;

  constructor(options: PeersOptions) {
    const clock = options.clock ?? systemClock;
    const { workers = {} } = options;
    this.#logger = options.logger;
    const size = workers.size ?? DEFAULT_WORKERS;
    this.#pool = new WorkerPool({
      name: 'peer',
      entry: WORKER_ENTRY,
      size,
      // Any worker can take all of them, since the others may have died.
      tasksPerWorker: limits.PEERS + limits.UNAUTHENTICATED_PEERS,
      beatMs: workers.beatMs ?? limits.WORKER_BEAT_MS,
      faults: workers.faults ?? false,
      maxHeapMb: workers.maxHeapMb ?? DEFAULT_HEAP_MB,
      clock,
      logger: options.logger,
    });
    this.#webrtc = options.webrtc;
    this.#host =
      options.webrtc === undefined || options.webrtc.choice === 'werift'
        ? undefined
        : new NativeHost({
            path: options.webrtc.hostPath,
            clock,
            logger: options.logger,
            beatMs: workers.beatMs ?? limits.WORKER_BEAT_MS,
            heartbeatMs: options.heartbeatMs,
          });
    this.#tickets = new TicketVerifier({
      issuerKeys: options.issuerKeys,
      workspaceId: options.workspaceId,
    });
    this.#shares = new Shares({ clock, logger: options.logger });
    this.#context = {
      pool: this.#pool,
      clock,
      agentKey: publicKeyText(options.identity),
      sign: nodeSigner(options.identity),
      crypto: nodePeerCrypto,
      agentVersion: options.agentVersion,
      workspace: options.workspace,
      requests: options.requests,
      onChannel: options.onChannel,
      heartbeatMs: options.heartbeatMs,
      native: () => (this.#usesHost ? this.#host : undefined),
    };
  }

  async start(): Promise<void> {
    this.#pool.start();
    const { choice } = this.#webrtc ?? {};
    if (this.#host === undefined || choice === undefined) return;
    try {
      await this.#host.start();
      this.#usesHost = true;
    } catch (error) {
      if (choice === 'native') throw error;
      this.#logger.info('WebRTC by werift, since the native engine is not available', { error });
    }
  }

  acceptOffer(offer: PeerOffer): void {
    this.#verifying += 1;
    this.#acceptOffer(offer)
      .catch((error: unknown) => {
        const record = toErrorRecord(error);
        this.#logger.warn('offer refused', { kind: offer.kind, ...record });
        offer.exchange.end(record);
      })
      .finally(() => {
        this.#verifying -= 1;
      });
  }

  acceptLocal(fd: number): void {
    try {
      this.#requireRoom();
      this.#open({
        subject: 'local',
        permissions: new Permissions(['owner']),
        source: { kind: 'socket', fd },
        client: { kind: 'local' },
      });
    } catch (error) {
      closeSync(fd);
      this.#logger.warn('local connection refused', { error });
    }
  }

  async listenLocal(path: string): Promise<void> {
    const listener = new LocalListener({
      path,
      logger: this.#logger,
      onConnection: (fd) => {
        this.acceptLocal(fd);
      },
    });
    this.#listeners.push(listener);
    await listener.start();
  }

  revokeShares(ids: readonly string[]): void {
    this.#shares.revoke(ids);
  }

  get liveShares(): readonly string[] {
    return this.#shares.live;
  }

  get counts(): { readonly peers: number; readonly unauthenticated: number } {
    let unauthenticated = 0;
    for (const session of this.#sessions) if (!session.isAuthenticated) unauthenticated += 1;
    return { peers: this.#sessions.size, unauthenticated };
  }

  get degraded(): boolean {
    return this.#pool.degraded || this.#host?.degraded === true;
  }

  injectFault(kind: FaultKind): void {
    [...this.#sessions].at(-1)?.injectFault(kind);
  }

  /** Takes no more, says goodbye to everybody, then ends the workers. */
  readonly close = once(async () => {
    this.#closing = true;
    this.#shares.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await Promise.all([...this.#sessions].map((session) => session.close()));
    await Promise.all([this.#pool.close(), this.#host?.close()]);
  });

  async #acceptOffer(offer: PeerOffer): Promise<void> {
    this.#requireRoom();
    const claims = await this.#tickets.verify(offer.ticket);
    // Again, since others may have come while this one was being checked.
    this.#requireRoom();
    const { exchange } = offer;
    const { shr: share } = claims;
    if (share !== undefined) this.#shares.require(share, claims.cnf.jwk.x);
    const session = this.#open({
      subject: claims.sub,
      share,
      onAuthenticated: (peer) => {
        if (offer.kind === 'webrtc') exchange.stands();
        if (share !== undefined) this.#shares.authenticated(share.id, peer);
      },
      permissions: new Permissions(claims.scope),
      source:
        offer.kind === 'webrtc'
          ? { kind: 'webrtc', sdp: offer.sdp, iceServers: offer.iceServers }
          : { kind: 'relay', url: offer.url, headers: offer.headers },
      client: {
        kind: 'ticket',
        workspaceId: claims.aud,
        ticketId: claims.jti,
        clientKey: claims.cnf.jwk.x,
      },
      onAnswer: (sdp) => {
        exchange.answer(sdp);
      },
      onCandidate: (candidate) => {
        exchange.candidate(candidate);
      },
    });
    if (share !== undefined) this.#shares.add(share, session);
    exchange.onCandidate((candidate) => {
      session.addCandidate(candidate);
    });
    exchange.onGone(() => {
      session.probe();
    });
    void session.ended.then(({ error }) => {
      // A direct path that came to nothing is no reason to end the exchange: the client asks for the
      // relay next. Only what will not get better with it does.
      const isFinal = offer.kind === 'relay' || FINAL.includes(error?.code ?? 'ERR_PEER_LOST');
      if (isFinal && !session.hasConnected) exchange.end(error);
    });
  }

  #open(options: Omit<SessionOptions, 'connectionId' | 'logger'>): PeerSession {
    const connectionId = randomBytes(8).toString('hex') as ConnectionId;
    const session = new PeerSession(this.#context, {
      ...options,
      connectionId,
      logger: this.#logger.child({ connection: connectionId, subject: options.subject }),
    });
    this.#sessions.add(session);
    void session.ended.then(() => {
      this.#sessions.delete(session);
    });
    session.start();
    return session;
  }

  #requireRoom(): void {
    this.#pool.requireHealthy();
    if (this.#closing) throw new HoldfastError('ERR_CLOSED', 'the agent is closing');
    const { peers, unauthenticated } = this.counts;
    if (
      peers >= limits.PEERS ||
      unauthenticated >= limits.UNAUTHENTICATED_PEERS ||
      this.#verifying > limits.UNAUTHENTICATED_PEERS
    )
      throw new HoldfastError('ERR_PEER_LIMIT', 'the agent has too many connections');
  }
}
