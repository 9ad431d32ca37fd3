import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { decodeJwt } from 'jose';
import {
  assertNever,
  deferred,
  HoldfastError,
  limits,
  systemClock,
  toErrorRecord,
  type AbortOptions,
  type Clock,
} from '../../../shared/common/index.js';
import {
  SIGNALLING_VERSION,
  type BrokerToClient,
  type IceCandidate,
  type IceServer,
  type PeerEngine,
  type TicketResponse,
} from '../../../shared/common/wire/index.js';
import {
  chooseWebRtcEngine,
  createWebRtcOffer,
  dialFramedWebSocket,
  nodeSigner,
  publicKeyText,
  type FramedDial,
  type PeerConnection,
  type PeerOffer,
  type WebRtcChoice,
  type WebRtcEngine,
} from '../../../shared/node/peer/index.js';
import { authenticateConnection, type AgentConnection } from './agent-connection.js';
import { SignalSocket } from './signal-socket.js';

/** `auto` tries a direct path and falls back to the broker's relay. */
export type ConnectPath = 'auto' | 'direct' | 'relay';

export interface ConnectPeerOptions extends AbortOptions {
  /** `wss://broker/api/v1/connect`. */
  readonly url: string;
  /**
   * Asks the broker for a ticket for this public key. Called again before a fall-back to the relay, since
   * tickets are single use.
   */
  readonly getTicket: (publicKey: string) => Promise<TicketResponse>;
  /**
   * The agent's key as the caller has pinned it. Absent: the one the broker names is taken at its word,
   * and pinning it is up to the caller.
   */
  readonly agentKey?: string | undefined;
  /**
   * The Ed25519 key that is proved to be held. Absent: a fresh one. Whoever comes through a share link
   * uses the same one each time, to be known for the one that was there before.
   */
  readonly privateKey?: KeyObject | undefined;
  /** `auto` unless given. */
  readonly path?: ConnectPath | undefined;
  /** What carries a direct path. `werift` unless given. */
  readonly webrtc?: WebRtcChoice | undefined;
  /** How long a direct path is waited for before the relay is tried beside it. */
  readonly relayAfterMs?: number | undefined;
  readonly clock?: Clock | undefined;
  /** For tests of the heartbeat. */
  readonly heartbeatMs?: number | undefined;
}

/** A connection that stands, and the ticket it was admitted with. */
interface Admitted {
  readonly connection: PeerConnection;
  readonly engine: PeerEngine;
  readonly ticketId: string;
}

/**
 * Connects to the agent of a workspace over the broker and authenticates both ends.
 * @throws {HoldfastError} ERR_AGENT_OFFLINE, ERR_TICKET, ERR_PEER_AUTH, ERR_PEER_TIMEOUT,
 * ERR_BROKER_UNREACHABLE, ERR_ENGINE_UNAVAILABLE, ERR_CLOSED on abort, or what the agent refused with.
 */
export async function connectPeer(options: ConnectPeerOptions): Promise<AgentConnection> {
  const attempt = new Attempt(options);
  try {
    return await attempt.run();
  } finally {
    attempt.end();
  }
}

/** One go at one agent. */
class Attempt {
  readonly #options: ConnectPeerOptions;
  readonly #clock: Clock;
  readonly #privateKey: KeyObject;
  readonly #publicKey: string;
  readonly #opened = deferred<readonly IceServer[]>();
  readonly #relayPath = deferred<string>();
  /** Settles when the relay should be tried. */
  readonly #relayWanted = deferred<undefined>();
  readonly #earlyCandidates: IceCandidate[] = [];
  #signals: SignalSocket | undefined;
  #offer: PeerOffer | undefined;
  #dial: FramedDial | undefined;
  #winner: PeerConnection | undefined;
  #ended = false;
  #answered = false;
  #cancelTimer: () => void = () => undefined;

  constructor(options: ConnectPeerOptions) {
    this.#options = options;
    this.#privateKey = options.privateKey ?? generateKeyPairSync('ed25519').privateKey;
    this.#publicKey = publicKeyText(this.#privateKey);
    this.#clock = options.clock ?? systemClock;
    this.#relayWanted.promise.catch(ignore);
  }

  async run(): Promise<AgentConnection> {
    const { url, signal, getTicket, path = 'auto', webrtc = 'werift' } = this.#options;
    const [ticket, engine] = await Promise.all([
      getTicket(this.#publicKey),
      chooseWebRtcEngine(path === 'relay' ? 'werift' : webrtc),
    ]);
    const agentKey = this.#options.agentKey ?? ticket.agentKey;
    if (agentKey === undefined)
      throw new HoldfastError('ERR_AGENT_OFFLINE', 'the agent has never connected to the broker');
    const signals = new SignalSocket({
      url,
      ...(signal === undefined ? {} : { signal }),
      onMessage: (message) => {
        this.#receive(message);
      },
    });
    this.#signals = signals;
    await signals.opened;
    signals.send({ type: 'open', version: SIGNALLING_VERSION, ticket: ticket.ticket });
    const iceServers = await Promise.race([this.#opened.promise, this.#signalsFailed()]);

    const ways: Promise<Admitted>[] = [];
    if (path !== 'relay') ways.push(this.#direct(engine, ticket, iceServers));
    if (path !== 'direct') ways.push(this.#relayed(path === 'relay' ? ticket : undefined));
    const admitted = await firstOf(ways);
    this.#winner = admitted.connection;
    for (const way of ways)
      way.then(({ connection }) => {
        if (connection !== admitted.connection) void connection.close();
      }, ignore);

    const trust = {
      kind: 'ticket',
      workspaceId: ticket.workspaceId,
      ticketId: admitted.ticketId,
      agentKey,
      sign: nodeSigner(this.#privateKey),
    } as const;
    const authenticating = authenticateConnection(admitted.connection, {
      engine: admitted.engine,
      trust,
      clock: this.#clock,
    });
    if (admitted.engine === 'framed')
      return await this.#unlessRefused(authenticating, admitted.connection);
    const agent = await authenticating;
    this.#leaveOpen(signals, agent);
    return agent;
  }

  /** Nothing but the broker sees at once that this process has gone, by the end of its socket. */
  #leaveOpen(signals: SignalSocket, agent: AgentConnection): void {
    signals.send({ type: 'connected' });
    this.#signals = undefined;
    void agent.closed.then(() => {
      signals.close();
    });
  }

  /**
   * A relay stands before the agent has looked at the ticket. What it says against it comes by the
   * signalling, while the relay leads to nobody.
   */
  async #unlessRefused(
    authenticating: Promise<AgentConnection>,
    connection: PeerConnection,
  ): Promise<AgentConnection> {
    authenticating.catch(ignore);
    try {
      return await Promise.race([authenticating, this.#signalsFailed()]);
    } catch (error) {
      void connection.close();
      throw error;
    }
  }

  /** Lets go of all that is not the connection that won. */
  end(): void {
    this.#ended = true;
    this.#cancelTimer();
    this.#signals?.close();
    const isDirect = this.#winner !== undefined && this.#winner.engine !== 'framed';
    if (!isDirect) void this.#offer?.abandon();
    this.#dial?.abandon();
    this.#dial?.connection.then((connection) => {
      if (connection !== this.#winner) void connection.close();
    }, ignore);
    this.#relayWanted.reject(new HoldfastError('ERR_CLOSED', 'not needed any more'));
  }

  #receive(message: BrokerToClient): void {
    switch (message.type) {
      case 'opened':
        this.#opened.resolve(message.iceServers);
        return;
      case 'answer':
        this.#answered = true;
        this.#offer?.setAnswer(message.sdp).catch(() => {
          void this.#offer?.abandon();
        });
        return;
      case 'candidate':
        if (this.#offer !== undefined) this.#offer.addCandidate(message.candidate);
        return;
      case 'relay':
        this.#relayPath.resolve(message.path);
        return;
      case 'end':
      case 'error':
        // Taken by the socket itself.
        return;
      default:
        assertNever(message);
    }
  }

  async #direct(
    engine: WebRtcEngine,
    ticket: TicketResponse,
    iceServers: readonly IceServer[],
  ): Promise<Admitted> {
    const signals = this.#signals;
    try {
      const offer = await createWebRtcOffer(engine, {
        iceServers,
        clock: this.#clock,
        heartbeatMs: this.#options.heartbeatMs,
        onCandidate: (candidate) => {
          // The agent knows of this exchange only from the offer on.
          if (this.#offer === undefined) this.#earlyCandidates.push(candidate);
          else signals?.send({ type: 'candidate', candidate });
        },
      });
      if (this.#ended) void offer.abandon();
      this.#offer = offer;
      signals?.send({ type: 'offer', sdp: offer.sdp });
      for (const candidate of this.#earlyCandidates.splice(0))
        signals?.send({ type: 'candidate', candidate });
      const timer = this.#clock.after(this.#options.relayAfterMs ?? limits.RELAY_AFTER_MS, () => {
        this.#relayWanted.resolve(undefined);
      });
      this.#cancelTimer = () => {
        timer.cancel();
      };
      const connection = await Promise.race([offer.connection, this.#failedUnanswered(offer)]);
      return { connection, engine, ticketId: idOf(ticket) };
    } catch (error) {
      this.#relayWanted.resolve(undefined);
      throw error;
    }
  }

  async #signalsFailed(): Promise<never> {
    if (this.#signals === undefined) throw new HoldfastError('ERR_CLOSED', 'not begun');
    return await this.#signals.failed;
  }

  /** Once there is an answer, the direct path needs the signalling no more. Never resolves. */
  async #failedUnanswered(offer: PeerOffer): Promise<never> {
    try {
      return await this.#signalsFailed();
    } catch (error) {
      if (this.#answered) return await new Promise<never>(() => undefined);
      void offer.abandon();
      throw error;
    }
  }

  /** `given`: a ticket that has not been used yet. Absent: waits until the relay is wanted. */
  async #relayed(given: TicketResponse | undefined): Promise<Admitted> {
    const { url, getTicket, heartbeatMs } = this.#options;
    if (given === undefined) await this.#relayWanted.promise;
    const ticket = given ?? (await getTicket(this.#publicKey));
    this.#signals?.send({ type: 'relay', ticket: ticket.ticket });
    const path = await Promise.race([this.#relayPath.promise, this.#signalsFailed()]);
    const relay = new URL(path, url);
    // A path and nothing else: the broker must not send us to another host.
    if (relay.host !== new URL(url).host)
      throw new HoldfastError('ERR_PROTOCOL', 'the broker named a relay that is not its own');
    this.#dial = dialFramedWebSocket({
      url: relay.href,
      role: 'client',
      clock: this.#clock,
      heartbeatMs,
    });
    const connection = await this.#dial.connection;
    return { connection, engine: 'framed', ticketId: idOf(ticket) };
  }
}

function idOf({ ticket }: TicketResponse): string {
  const { jti } = decodeJwt(ticket);
  if (jti === undefined) throw new HoldfastError('ERR_TICKET', 'the ticket has no id');
  return jti;
}

/** The first of `ways` that leads somewhere; else what stopped the first of them. */
async function firstOf(ways: readonly Promise<Admitted>[]): Promise<Admitted> {
  try {
    return await Promise.any(ways);
  } catch (error) {
    const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
    const { code, message } = toErrorRecord(first);
    throw first instanceof HoldfastError
      ? first
      : new HoldfastError(code, message, { cause: first });
  }
}

function ignore(): void {
  // A way that failed after another had succeeded.
}
