import type { IncomingMessage } from 'node:http';
import { HoldfastError, type Logger } from '../../shared/common/index.js';
import { addressOf, requireInForce, type OwnTicket, type UsedOnce } from './auth/index.js';
import type { ApiContext } from './api/index.js';
import { RELAY_PATH } from './relay/index.js';
import {
  AgentLink,
  ClientSession,
  type IceServers,
  type SessionServices,
  type UpgradeHandler,
} from './signalling/index.js';

const LISTEN_PATH = '/api/v1/agent/listen';
const CONNECT_PATH = '/api/v1/connect';

export interface DoorsOptions {
  readonly context: ApiContext;
  readonly ice: IceServers;
  readonly usedTickets: UsedOnce;
  readonly logger: Logger;
}

/** The two signalling addresses: agents show their token in a header, clients a ticket in a message. */
export function signallingDoor(options: DoorsOptions): UpgradeHandler {
  const { context, logger } = options;
  const { authenticator, hub, store, audit, issuer } = context;
  return async (request, path) => {
    const address = addressOf(request);
    switch (path) {
      case LISTEN_PATH: {
        const token = await authenticator.agent(request);
        return (socket, proven) => {
          proven();
          hub.addLink(
            new AgentLink({
              socket,
              token,
              address,
              store,
              audit,
              issuerKey: issuer.key,
              logger: logger.child({ workspaceId: token.workspaceId }),
              onReady: (link) => {
                hub.agentReady(link);
              },
              onEnd: (link) => {
                hub.removeLink(link);
              },
            }),
          );
        };
      }
      case CONNECT_PATH:
        return (socket, proven) => {
          hub.addSession(
            new ClientSession({
              socket,
              address,
              services: sessionServices(options, request),
              logger,
              onProven: proven,
              onEnd: (session) => {
                hub.removeSession(session);
              },
            }),
          );
        };
      default:
        throw new HoldfastError('ERR_NOT_FOUND', 'no such address');
    }
  };
}

/** The relay addresses: an agent shows its token, a client nothing but the secret address itself. */
export function relayDoor({ context }: DoorsOptions): UpgradeHandler {
  const { authenticator, relays } = context;
  return async (request, path) => {
    const id = path.slice(RELAY_PATH.length);
    const agent =
      request.headers.authorization === undefined ? undefined : await authenticator.agent(request);
    const side = agent === undefined ? 'client' : 'agent';
    if (!relays.expects(id, side, agent?.workspaceId))
      throw authenticator.refusal(request, new HoldfastError('ERR_NOT_FOUND', 'no such relay'));
    return (socket, proven) => {
      proven();
      relays.attach(id, side, socket, agent?.workspaceId);
    };
  };
}

function sessionServices(
  { context, ice, usedTickets }: DoorsOptions,
  request: IncomingMessage,
): SessionServices {
  const { authenticator, store, issuer, hub, relays, audit } = context;
  return {
    redeem: async (ticket): Promise<OwnTicket> => {
      const claims = await issuer.verify(ticket).catch((error: unknown) => {
        throw error instanceof HoldfastError ? authenticator.refusal(request, error) : error;
      });
      // A good ticket of a token that was revoked, or a workspace that was removed, since it was made.
      const { token, share, workspace } = await store.read((transaction) => ({
        token: transaction.token(claims.tid),
        share: claims.shr === undefined ? undefined : transaction.share(claims.shr.id),
        workspace: transaction.workspace(claims.aud),
      }));
      if (claims.shr === undefined && token?.kind !== 'user')
        throw new HoldfastError('ERR_UNAUTHORIZED', 'the token was revoked');
      if (share !== undefined) requireInForce(share);
      else if (claims.shr !== undefined)
        throw new HoldfastError('ERR_SHARE_REVOKED', 'this link was revoked');
      if (workspace === undefined)
        throw new HoldfastError('ERR_WORKSPACE_NOT_FOUND', 'the workspace was removed');
      return claims;
    },
    useTicket: (id) => usedTickets.use(id),
    agentOf: (workspaceId) => hub.agentOf(workspaceId),
    openRelay: ({ aud, tid }) => relays.create({ workspaceId: aud, tokenId: tid }),
    ice,
    audit,
  };
}
