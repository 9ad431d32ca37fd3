import type { WebSocket } from 'ws';
import {
  assertNever,
  HoldfastError,
  isErrorCode,
  limits,
  systemClock,
  type ErrorRecord,
  type Logger,
  type Timer,
} from '../../../shared/common/index.js';
import {
  agentSignalSchema,
  SIGNALLING_VERSION,
  type AgentSignal,
  type BrokerToAgent,
  type IceCandidate,
  type IssuerKey,
} from '../../../shared/common/wire/index.js';
import type { AuditTrail } from '../audit.js';
import { shareState } from '../auth/index.js';
import type { AgentTokenRecord, Store, WorkspaceRecord } from '../store/index.js';
import { JsonSocket } from './json-socket.js';

type Hello = Extract<AgentSignal, { type: 'hello' }>;

/** The agent's answers within one session, as its client takes them. */
export interface SessionPeer {
  answer(sdp: string): void;
  candidate(candidate: IceCandidate): void;
  /** The agent refused or ended it, or its link is gone. */
  ended(error: ErrorRecord | undefined): void;
}

export interface AgentLinkOptions {
  readonly socket: WebSocket;
  readonly token: AgentTokenRecord;
  readonly address: string;
  readonly store: Store;
  readonly audit: AuditTrail;
  readonly issuerKey: IssuerKey;
  readonly logger: Logger;
  /** The agent has said hello and may take sessions. */
  readonly onReady: (link: AgentLink) => void;
  readonly onEnd: (link: AgentLink) => void;
}

/** The standing link of one agent: where offers for its workspace go. */
export class AgentLink {
  readonly workspaceId: string;
  readonly tokenId: string;
  readonly #options: AgentLinkOptions;
  readonly #link: JsonSocket<AgentSignal, BrokerToAgent>;
  readonly #sessions = new Map<string, SessionPeer>();
  /** Those of {@link #sessions} that are over but for their end, which the agent wants to know. */
  readonly #standing = new Set<string>();
  #hello: Timer | undefined;
  #welcomed = false;

  constructor(options: AgentLinkOptions) {
    this.#options = options;
    this.workspaceId = options.token.workspaceId;
    this.tokenId = options.token.id;
    this.#link = new JsonSocket<AgentSignal, BrokerToAgent>(options.socket, {
      schema: agentSignalSchema,
      onMessage: (message) => this.#receive(message),
      onEnd: (error) => {
        this.#ended(error);
      },
    });
    this.#hello = systemClock.after(limits.SIGNAL_FIRST_MS, () => {
      this.#link.fail(new HoldfastError('ERR_PEER_TIMEOUT', 'no hello in time'));
    });
  }

  /** @throws {HoldfastError} ERR_PEER_LIMIT, ERR_AGENT_OFFLINE. */
  openSession(session: string, peer: SessionPeer): void {
    if (!this.#link.isOpen) throw new HoldfastError('ERR_AGENT_OFFLINE', 'the agent has just left');
    if (this.#sessions.size - this.#standing.size >= limits.SIGNAL_SESSIONS)
      throw new HoldfastError('ERR_PEER_LIMIT', 'the agent has too many sessions in progress');
    this.#sessions.set(session, peer);
  }

  /** The connection of `session` stands. False: so many do that this one's end is not told. */
  keepSession(session: string): boolean {
    if (!this.#sessions.has(session) || this.#standing.size >= limits.PEERS) return false;
    this.#standing.add(session);
    return true;
  }

  /** Forgets `session`; the agent is told. Does nothing if it ended already. */
  closeSession(session: string): void {
    this.#standing.delete(session);
    if (this.#sessions.delete(session)) this.send({ type: 'end', session });
  }

  send(message: BrokerToAgent): void {
    this.#link.send(message);
  }

  /** Tells the agent that nobody may be connected through these share links any more. */
  revokeShares(ids: readonly string[]): void {
    for (let start = 0; start < ids.length; start += limits.PEERS)
      this.send({ type: 'revoked', shares: ids.slice(start, start + limits.PEERS) });
  }

  /** Ends the link, telling the agent why. */
  end(error: HoldfastError): void {
    this.#link.fail(error);
  }

  /** Ends the link because the broker stops; the agent dials again. */
  shutdown(): void {
    this.#link.close('shutdown');
  }

  async #receive(message: AgentSignal): Promise<void> {
    if (message.type === 'hello') {
      await this.#receiveHello(message);
      return;
    }
    if (!this.#welcomed) throw new HoldfastError('ERR_PROTOCOL', 'the first message must be hello');
    // The client may have left meanwhile; its session is then nobody's fault.
    const peer = this.#sessions.get(message.session);
    switch (message.type) {
      case 'answer':
        peer?.answer(message.sdp);
        return;
      case 'candidate':
        peer?.candidate(message.candidate);
        return;
      case 'end':
        this.#sessions.delete(message.session);
        this.#standing.delete(message.session);
        peer?.ended(message.error === undefined ? undefined : knownError(message.error));
        return;
      default:
        assertNever(message);
    }
  }

  async #receiveHello(hello: Hello): Promise<void> {
    const { store, issuerKey, onReady } = this.#options;
    if (this.#hello === undefined) throw new HoldfastError('ERR_PROTOCOL', 'hello came twice');
    this.#hello.cancel();
    this.#hello = undefined;
    if (hello.version !== SIGNALLING_VERSION)
      throw new HoldfastError(
        'ERR_PROTOCOL_VERSION',
        `the broker speaks version ${String(SIGNALLING_VERSION)}, the agent ${String(hello.version)}`,
      );
    const record = await store.write((transaction) => {
      const found = transaction.workspace(this.workspaceId);
      if (found === undefined)
        throw new HoldfastError('ERR_UNAUTHORIZED', 'the workspace was removed');
      if (found.agentKey !== undefined && found.agentKey !== hello.agentKey) return undefined;
      const seen = withAgent(found, hello);
      transaction.putWorkspace(seen);
      transaction.audit({
        at: Date.now(),
        action: 'agent.connected',
        workspaceId: found.id,
        actor: this.tokenId,
        source: this.#options.address,
        detail: hello.agentVersion,
      });
      return seen;
    });
    if (record === undefined) {
      this.#audit('agent.refused', 'another identity key');
      throw new HoldfastError(
        'ERR_PEER_AUTH',
        'the agent of this workspace had another identity key before',
        { hint: 'If it was reinstalled, let its owner renew the agent token and forget the key.' },
      );
    }
    if (!this.#link.isOpen) return;
    this.#welcomed = true;
    this.send({
      type: 'welcome',
      workspaceId: record.id,
      workspace: record.name,
      metadata: record.metadata,
      issuerKeys: [issuerKey],
      hasGitKey: record.gitKey !== undefined,
    });
    this.#options.logger.info('agent connected', { agentVersion: hello.agentVersion });
    onReady(this);
    await this.#reviewShares(hello.shares ?? []);
  }

  /**
   * What was revoked while the agent was away. After `onReady`, so that nothing falls between this look
   * at the store and the messages that follow.
   */
  async #reviewShares(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const over = await this.#options.store.read((transaction) =>
      ids.filter((id) => {
        const share = transaction.share(id);
        return share?.workspaceId !== this.workspaceId || shareState(share) === 'revoked';
      }),
    );
    this.revokeShares(over);
  }

  #ended(error: HoldfastError | undefined): void {
    this.#hello?.cancel();
    for (const peer of this.#sessions.values())
      peer.ended({ code: 'ERR_AGENT_OFFLINE', message: 'the agent left the broker' });
    this.#sessions.clear();
    this.#standing.clear();
    if (this.#welcomed) {
      this.#options.logger.info('agent disconnected', { error });
      this.#audit('agent.disconnected', error?.code);
    } else {
      this.#options.logger.warn('agent refused', { error });
    }
    this.#options.onEnd(this);
  }

  #audit(action: 'agent.disconnected' | 'agent.refused', detail: string | undefined): void {
    const { audit, address } = this.#options;
    audit.record({
      action,
      workspaceId: this.workspaceId,
      actor: this.tokenId,
      source: address,
      detail,
    });
  }
}

function withAgent(record: WorkspaceRecord, hello: Hello): WorkspaceRecord {
  return {
    ...record,
    agentKey: hello.agentKey,
    sshHostKey: hello.sshHostKey,
    agentVersion: hello.agentVersion,
    lastSeenAt: Date.now(),
  };
}

/** The wire allows any code, so that versions may differ; what is told on is one that we know. */
function knownError(error: { readonly code: string; readonly message: string }): ErrorRecord {
  return isErrorCode(error.code)
    ? { code: error.code, message: error.message }
    : { code: 'ERR_PROTOCOL', message: `${error.code}: ${error.message}`.slice(0, 1_000) };
}
