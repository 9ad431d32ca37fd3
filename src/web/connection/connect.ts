import { fromErrorRecord, HoldfastError, isErrorCode, limits } from '../../shared/common/index.js';
import type { Shared, TicketResponse } from '../../shared/common/wire/index.js';
import { requestTicket } from '../broker-api.js';
import { ClientControl, type AuthenticatedSession } from '../../shared/common/peer-auth/index.js';
import { openDirectLink } from './direct-link.js';
import { webCrypto, type Identity } from './identity.js';
import { pinAgentKey, pinnedAgentKey } from './pins.js';
import { openRelayLink } from './relay-link.js';
import { Signalling } from './signalling.js';
import type { Link } from './types.js';

/** What an attempt is doing, for the person who waits. */
export type ConnectStep = 'ticket' | 'signalling' | 'direct' | 'relay' | 'authenticating';

export interface ConnectOptions {
  readonly workspace: string;
  readonly token: string;
  readonly share?: ShareTarget;
  readonly identity: Identity;
  /** Do not try a direct path. */
  readonly relayOnly: boolean;
  readonly signal: AbortSignal;
  readonly onStep: (step: ConnectStep) => void;
}

/** Where a share link leads, as its holder has it: not for the broker to change. */
export interface ShareTarget {
  readonly agentKey: string;
  /** Absent: every terminal. */
  readonly terminal: string | undefined;
}

/** An authenticated connection to the agent of a workspace. */
export interface Connected {
  readonly link: Link;
  readonly control: ClientControl;
  readonly session: AuthenticatedSession;
  /** What the share link allows. Absent: it was no link. */
  readonly shared: Shared | undefined;
}

/** The agent's key is not the one that was pinned. The page asks a person before it goes on. */
export class AgentKeyChangedError extends HoldfastError {
  readonly pinned: string;
  readonly offered: string;

  constructor(workspace: string, pinned: string, offered: string) {
    super('ERR_PEER_AUTH', `the agent of ${workspace} has a new key`);
    this.pinned = pinned;
    this.offered = offered;
  }
}

/**
 * One attempt from the ticket to the proof of both identities. Whatever it opened is closed if it fails.
 * @throws {HoldfastError} with the code of the step that failed; {@link AgentKeyChangedError}.
 */
export async function connect(options: ConnectOptions): Promise<Connected> {
  const { workspace, token, share, identity, signal, onStep } = options;
  const newTicket = (): Promise<TicketResponse> =>
    requestTicket(token, workspace, identity.publicKey, signal);
  onStep('ticket');
  let ticket = await newTicket();
  if (!ticket.online) {
    throw new HoldfastError('ERR_AGENT_OFFLINE', `the agent of ${workspace} is not connected`);
  }
  if (ticket.agentKey === undefined) {
    throw new HoldfastError('ERR_AGENT_OFFLINE', `no agent was ever connected for ${workspace}`);
  }
  const agentKey = share?.agentKey ?? pinnedAgentKey(workspace) ?? ticket.agentKey;
  if (share !== undefined) requireShared(share, ticket);
  else if (agentKey !== ticket.agentKey) {
    throw new AgentKeyChangedError(workspace, agentKey, ticket.agentKey);
  }

  onStep('signalling');
  const signalling = new Signalling(ticket.ticket);
  let link: Link | undefined;
  try {
    const opening = AbortSignal.any([signal, AbortSignal.timeout(limits.PEER_AUTH_MS)]);
    const { iceServers } = await signalling.expect('opened', opening);
    if (!options.relayOnly) {
      onStep('direct');
      try {
        link = await openDirectLink(signalling, iceServers, signal);
      } catch (error) {
        // What the broker or the agent refused outright, the relay would be refused as well.
        if (signal.aborted || !isPathError(error)) throw error;
      }
    }
    if (link === undefined) {
      onStep('relay');
      if (!options.relayOnly) ticket = await newTicket();
      link = await openRelayLink(signalling, ticket.ticket, signal);
    }
    onStep('authenticating');
    const control = new ClientControl({
      channel: link.openChannel({ label: 'control', protocol: 'control' }),
      binding: link.binding(),
      engine: link.kind === 'direct' ? 'browser' : 'framed',
      trust: {
        kind: 'ticket',
        workspaceId: ticket.workspaceId,
        ticketId: ticketId(ticket.ticket),
        agentKey,
        sign: identity.sign,
      },
      crypto: webCrypto,
    });
    const authenticating = control.authenticate();
    const session = await (link.kind === 'relay'
      ? unlessRefused(authenticating, signalling)
      : authenticating);
    // What a link says of the agent holds for that link; it must not change what a login knows.
    if (share === undefined) pinAgentKey(workspace, agentKey);
    if (link.kind === 'direct') leaveOpen(signalling, link);
    // The end of a relay is seen by the broker itself.
    else signalling.close();
    return { link, control, session, shared: ticket.share };
  } catch (error) {
    link?.close();
    signalling.close();
    throw error;
  }
}

/** The two ends need nobody in between now. That this page has gone the broker sees at once, and nobody else. */
function leaveOpen(signalling: Signalling, link: Link): void {
  signalling.send({ type: 'connected' });
  void link.closed.then(() => {
    signalling.close();
  });
}

/** Neither the broker nor whoever passed a link on may lead its holder elsewhere. */
function requireShared(target: ShareTarget, { agentKey, share, workspace }: TicketResponse): void {
  if (agentKey !== target.agentKey) {
    throw new HoldfastError(
      'ERR_PEER_AUTH',
      `the agent of ${workspace} is another than the one this link names`,
      {
        hint: 'If the agent was reinstalled, ask for a new link. Else somebody may be in between.',
      },
    );
  }
  if (share?.terminal !== (target.terminal ?? '*')) {
    throw new HoldfastError('ERR_SHARE_MISMATCH', 'this link is for another terminal');
  }
}

/**
 * A relay stands before the agent has looked at the ticket. What it says against it comes by the
 * signalling, while the relay leads to nobody.
 */
async function unlessRefused<T>(authenticating: Promise<T>, signalling: Signalling): Promise<T> {
  authenticating.catch(() => undefined);
  return await Promise.race([
    authenticating,
    signalling.ended.then((error) => Promise.reject(fromErrorRecord(error))),
  ]);
}

/** Whether the path failed, rather than the right to use it. */
function isPathError(error: unknown): boolean {
  if (!(error instanceof HoldfastError) || !isErrorCode(error.code)) return true;
  return error.code === 'ERR_PEER_TIMEOUT' || error.code === 'ERR_PEER_LOST';
}

/** The `jti` claim, read without checking: the agent checks the ticket, the page only names it. */
function ticketId(ticket: string): string {
  try {
    const part = (ticket.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const claims: unknown = JSON.parse(atob(part));
    if (typeof claims === 'object' && claims !== null && 'jti' in claims) return String(claims.jti);
  } catch {
    // Falls through to the error.
  }
  throw new HoldfastError('ERR_TICKET', 'the broker gave a ticket that cannot be read');
}
