import { generateKeyPairSync } from 'node:crypto';
import { HoldfastError, type TerminalId } from '../../shared/common/index.js';
import {
  looksLikeLink,
  parseShareLink,
  type ShareLink,
  type TicketResponse,
} from '../../shared/common/wire/index.js';
import { createBrokerApi } from '../client/broker-api/index.js';
import { connectWithin, type LinkConfig, type WorkspaceLink } from './workspace-link.js';

/**
 * The share link that `argument` is. Absent: it is the name of a workspace. A link is a credential, so it
 * is taken out of what other users of this machine see of the process.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT.
 */
export function linkArgument(argument: string): ShareLink | undefined {
  if (!looksLikeLink(argument)) return undefined;
  // Overwrites the memory in which the kernel shows the arguments.
  process.title = 'holdfast attach';
  return parseShareLink(argument);
}

/** @throws {HoldfastError} ERR_SHARE_MISMATCH if the link is for another terminal than the one wanted. */
export function sharedTerminal(
  { terminal }: ShareLink,
  wanted: TerminalId | undefined,
): TerminalId | undefined {
  if (terminal !== undefined && wanted !== undefined && terminal !== wanted) {
    throw new HoldfastError('ERR_SHARE_MISMATCH', `this link is for the terminal ${terminal}`);
  }
  return terminal ?? wanted;
}

/**
 * How to connect through a share link, with no login: to the agent that the link names, and no other. Each
 * call opens a connection; all of them prove the same key, so that the agent does not count a connection
 * that was lost as somebody else's.
 */
export function sharedLinkOpener(
  config: LinkConfig,
  link: ShareLink,
): (signal: AbortSignal) => Promise<WorkspaceLink> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const api = createBrokerApi({ brokerUrl: link.origin, token: link.secret });
  return (signal) =>
    connectWithin(config, {
      brokerUrl: link.origin,
      workspace: link.workspace,
      agentKey: link.agentKey,
      privateKey,
      signal,
      getTicket: async (publicKey, either) => {
        const ticket = await api.getTicket(link.workspace, { publicKey, signal: either });
        requireSame(link, ticket);
        return ticket;
      },
    });
}

/** Neither the broker nor whoever passed the link on may lead its holder elsewhere. */
function requireSame(link: ShareLink, { agentKey, share }: TicketResponse): void {
  if (agentKey !== undefined && agentKey !== link.agentKey) {
    throw new HoldfastError(
      'ERR_PEER_AUTH',
      `the agent of ${link.workspace} is another than the one this link names`,
      {
        hint: 'If the agent was reinstalled, ask for a new link. Else somebody may be in between.',
      },
    );
  }
  if (share?.terminal !== (link.terminal ?? '*')) {
    throw new HoldfastError('ERR_SHARE_MISMATCH', 'this link is for another terminal');
  }
}
