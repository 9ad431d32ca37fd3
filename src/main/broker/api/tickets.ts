import type { FastifyInstance } from 'fastify';
import { HoldfastError } from '../../../shared/common/index.js';
import { ticketRequestSchema, type TicketResponse } from '../../../shared/common/wire/index.js';
import {
  addressOf,
  narrowScopes,
  requireInForce,
  shareScope,
  shareSubject,
} from '../auth/index.js';
import type {
  ShareRecord,
  StoreTransaction,
  UserTokenRecord,
  WorkspaceRecord,
} from '../store/index.js';
import { requireWorkspace } from './access.js';
import type { ApiContext } from './context.js';
import { parseBody } from '../http-errors.js';

/** Tickets for clients, and the Git key for agents. */
export function ticketRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, audit, authenticator, issuer, hub } = context;

  app.post<{ Params: { name: string } }>('/api/v1/workspaces/:name/tickets', async (request) => {
    const holder = await authenticator.holder(request.raw);
    const { publicKey, scopes } = parseBody(ticketRequestSchema, request.body);
    const share = holder.kind === 'share' ? holder : undefined;
    const workspace = await store.read((transaction) =>
      holder.kind === 'share'
        ? sharedWorkspace(transaction, holder, request.params.name)
        : requireWorkspace(transaction, holder, request.params.name),
    );
    const subject = holder.kind === 'share' ? shareSubject(holder) : holder.name;
    const { ticket, id } = await issuer.issue({
      workspaceId: workspace.id,
      subject,
      tokenId: holder.id,
      scopes: narrowScopes(heldScopes(holder), scopes),
      publicKey,
      share: share && {
        id: share.id,
        cap: share.viewers,
        ...(share.expiresAt === undefined ? {} : { exp: Math.floor(share.expiresAt / 1_000) }),
      },
    });
    audit.record({
      action: 'ticket.issued',
      workspaceId: workspace.id,
      actor: holder.id,
      subject,
      object: id,
      source: addressOf(request.raw),
    });
    return {
      ticket,
      workspaceId: workspace.id,
      workspace: workspace.name,
      subject,
      online: hub.agentOf(workspace.id) !== undefined,
      agentKey: workspace.agentKey,
      // A link opens no SSH.
      sshHostKey: share === undefined ? workspace.sshHostKey : undefined,
      share: share && {
        terminal: share.terminal,
        mode: share.mode,
        ...(share.expiresAt === undefined
          ? {}
          : { expiresAt: new Date(share.expiresAt).toISOString() }),
      },
    } satisfies TicketResponse;
  });

  app.get('/api/v1/agent/git-key', async (request) => {
    const token = await authenticator.agent(request.raw);
    const workspace = await store.read((transaction) => transaction.workspace(token.workspaceId));
    if (workspace?.gitKey === undefined)
      throw new HoldfastError('ERR_GIT_KEY', 'this workspace has no Git key');
    audit.record({
      action: 'git-key.fetched',
      workspaceId: workspace.id,
      actor: token.id,
      source: addressOf(request.raw),
    });
    return { privateKey: workspace.gitKey };
  });
}

function heldScopes(holder: UserTokenRecord | ShareRecord): readonly string[] {
  if (holder.kind === 'share') return [shareScope(holder)];
  return holder.role === 'admin' ? ['owner'] : holder.scopes;
}

/**
 * The workspace of a share link, which must be the one called `name`. That one's existence is not told.
 * @throws {HoldfastError} ERR_SHARE_REVOKED, ERR_SHARE_EXPIRED, ERR_SHARE_MISMATCH.
 */
function sharedWorkspace(
  transaction: StoreTransaction,
  share: ShareRecord,
  name: string,
): WorkspaceRecord {
  requireInForce(share);
  const workspace = transaction.workspace(share.workspaceId);
  if (workspace?.name !== name)
    throw new HoldfastError('ERR_SHARE_MISMATCH', 'this link is for another workspace');
  return workspace;
}
