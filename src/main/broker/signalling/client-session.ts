import type { WebSocket } from 'ws';
import {
  assertNever,
  HoldfastError,
  limits,
  systemClock,
  type ErrorRecord,
  type Logger,
  type Timer,
} from '../../../shared/common/index.js';
import {
  clientSignalSchema,
  SIGNALLING_VERSION,
  type BrokerToClient,
  type ClientSignal,
  type IceCandidate,
} from '../../../shared/common/wire/index.js';
import type { AuditTrail } from '../audit.js';
import { mintId, type OwnTicket } from '../auth/index.js';
import type { AgentLink, SessionPeer } from './agent-link.js';
import type { IceServers } from './ice.js';
import { JsonSocket } from './json-socket.js';

/** What a session needs of the rest of the broker. */
export interface SessionServices {
  /** Verifies a ticket and its token. @throws {HoldfastError} ERR_TICKET, ERR_RATE_LIMITED. */
  redeem(ticket: string): Promise<OwnTicket>;
  /** Marks a ticket as used. False: it was used before. */
  useTicket(id: string): boolean;
  /** Absent: no agent of this workspace is connected. */
  agentOf(workspaceId: string): AgentLink | undefined;
  /** Prepares a relay and returns its path. @throws {HoldfastError} ERR_PEER_LIMIT. */
  openRelay(ticket: OwnTicket): string;
  readonly ice: IceServers;
  readonly audit: AuditTrail;
}

export interface ClientSessionOptions {
  readonly socket: WebSocket;
  readonly address: string;
  readonly services: SessionServices;
  readonly logger: Logger;
  /** The client has shown a good ticket. */
  readonly onProven: () => void;
  readonly onEnd: (session: ClientSession) => void;
}

interface Opened {
  readonly ticket: OwnTicket;
  /** The ticket as the client sent it: for the agent, which judges it for itself. */
  readonly proof: string;
  readonly agent: AgentLink;
}

/**
 * One client that wants to reach one agent. Ends when it has given up or gone: a client with a direct connection stays, so
 * that the agent hears of its end.
 */
export class ClientSession implements SessionPeer {
  /** 128 random bits, so that no client could ever guess another's. */
  readonly id = mintId();
  readonly #options: ClientSessionOptions;
  readonly #link: JsonSocket<ClientSignal, BrokerToClient>;
  #timer: Timer;
  #opened: Opened | undefined;
  #offered = false;
  #relayed = false;
  #messages = 0;
  #answers = 0;

  constructor(options: ClientSessionOptions) {
    this.#options = options;
    this.#link = new JsonSocket<ClientSignal, BrokerToClient>(options.socket, {
      schema: clientSignalSchema,
      onMessage: (message) => this.#receive(message),
      onEnd: (error) => {
        this.#ended(error);
      },
    });
    this.#timer = this.#deadline(limits.SIGNAL_FIRST_MS, 'no ticket in time');
  }

  /** Token behind the ticket. Absent: none was shown yet. */
  get tokenId(): string | undefined {
    return this.#opened?.ticket.tid;
  }

  get workspaceId(): string | undefined {
    return this.#opened?.ticket.aud;
  }

  answer(sdp: string): void {
    if (this.#countAnswer()) this.#link.send({ type: 'answer', sdp });
  }

  candidate(candidate: IceCandidate): void {
    if (this.#countAnswer()) this.#link.send({ type: 'candidate', candidate });
  }

  ended(error: ErrorRecord | undefined): void {
    if (error !== undefined) this.#link.fail(new HoldfastError(error.code, error.message));
    else {
      this.#link.send({ type: 'end' });
      this.#link.close();
    }
  }

  /** Ends the session, telling the client why. */
  end(error: HoldfastError): void {
    this.#link.fail(error);
  }

  shutdown(): void {
    this.#link.close('shutdown');
  }

  async #receive(message: ClientSignal): Promise<void> {
    this.#messages += 1;
    if (this.#messages > limits.SIGNAL_SESSION_MESSAGES)
      throw new HoldfastError('ERR_PROTOCOL', 'too many messages in one session');
    if (message.type === 'open') {
      await this.#open(message.version, message.ticket);
      return;
    }
    const opened = this.#opened;
    if (opened === undefined)
      throw new HoldfastError('ERR_PROTOCOL', 'the first message must be open');
    const { agent, ticket, proof } = opened;
    switch (message.type) {
      case 'offer':
        if (this.#offered) throw new HoldfastError('ERR_PROTOCOL', 'offer came twice');
        this.#offered = true;
        agent.send({
          type: 'offer',
          session: this.id,
          ticket: proof,
          sdp: message.sdp,
          iceServers: this.#options.services.ice.for(ticket.aud),
        });
        return;
      case 'candidate':
        agent.send({ type: 'candidate', session: this.id, candidate: message.candidate });
        return;
      case 'relay':
        await this.#relay(opened, message.ticket);
        return;
      case 'connected':
        this.#timer.cancel();
        if (!agent.keepSession(this.id)) this.#link.close();
        return;
      default:
        assertNever(message);
    }
  }

  async #open(version: number, proof: string): Promise<void> {
    const { services, address, logger, onProven } = this.#options;
    if (this.#opened !== undefined) throw new HoldfastError('ERR_PROTOCOL', 'open came twice');
    if (version !== SIGNALLING_VERSION)
      throw new HoldfastError(
        'ERR_PROTOCOL_VERSION',
        `the broker speaks version ${String(SIGNALLING_VERSION)}, the client ${String(version)}`,
      );
    const ticket = await services.redeem(proof);
    if (!services.useTicket(ticket.jti))
      throw new HoldfastError('ERR_TICKET', 'the ticket was not accepted');
    if (!this.#link.isOpen) return;
    onProven();
    this.#timer.cancel();
    this.#timer = this.#deadline(limits.SIGNAL_SESSION_MS, 'the session took too long');
    const agent = services.agentOf(ticket.aud);
    if (agent === undefined)
      throw new HoldfastError('ERR_AGENT_OFFLINE', 'the agent of this workspace is not connected');
    agent.openSession(this.id, this);
    this.#opened = { ticket, proof, agent };
    services.audit.record({
      action: 'client.connected',
      workspaceId: ticket.aud,
      actor: ticket.tid,
      subject: ticket.sub,
      object: ticket.jti,
      source: address,
    });
    logger.info('client connected', { workspaceId: ticket.aud, subject: ticket.sub });
    this.#link.send({
      type: 'opened',
      session: this.id,
      iceServers: services.ice.for(ticket.sub),
    });
  }

  async #relay({ agent, ticket, proof }: Opened, fresh: string): Promise<void> {
    const { services, address } = this.#options;
    if (this.#relayed) throw new HoldfastError('ERR_PROTOCOL', 'relay came twice');
    this.#relayed = true;
    // The ticket of `open` is still good for the agent if no offer has carried it there.
    if (this.#offered || fresh !== proof) {
      const second = await services.redeem(fresh);
      if (second.aud !== ticket.aud || second.tid !== ticket.tid || !services.useTicket(second.jti))
        throw new HoldfastError('ERR_TICKET', 'the ticket was not accepted');
    }
    if (!this.#link.isOpen) return;
    const path = services.openRelay(ticket);
    agent.send({ type: 'relay', session: this.id, ticket: fresh, path });
    this.#link.send({ type: 'relay', path });
    services.audit.record({
      action: 'client.relayed',
      workspaceId: ticket.aud,
      actor: ticket.tid,
      subject: ticket.sub,
      source: address,
    });
  }

  /** An agent could flood a client as well as the other way round. */
  #countAnswer(): boolean {
    this.#answers += 1;
    if (this.#answers <= limits.SIGNAL_SESSION_MESSAGES) return true;
    this.#link.fail(new HoldfastError('ERR_PROTOCOL', 'the agent sent too many messages'));
    return false;
  }

  #deadline(ms: number, what: string): Timer {
    return systemClock.after(ms, () => {
      this.#link.fail(new HoldfastError('ERR_PEER_TIMEOUT', what));
    });
  }

  #ended(error: HoldfastError | undefined): void {
    this.#timer.cancel();
    this.#opened?.agent.closeSession(this.id);
    if (error !== undefined)
      this.#options.logger.info('client session failed', { error, source: this.#options.address });
    this.#options.onEnd(this);
  }
}
