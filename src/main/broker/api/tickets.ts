import type { FastifyInstance } from 'fastify';
import { HoldfastError } from '../../../shared/common/index.js';
import { ticketRequestSchema, type TicketResponse } from '../../../shared/common/wire/index.js';
import { addressOf, narrowScopes } from '../auth/index.js';
import { requireWorkspace } from './access.js';
import type { ApiContext } from './context.js';
import { parseBody } from '../http-errors.js';

/** Tickets for clients, and the Git key for agents. */
export function ticketRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, audit, authenticator, issuer, hub } = context;

  app.post<{ Params: { name: string } }>('/api/v1/workspaces/:name/tickets', async (request) => {
    const token = await authenticator.user(request.raw);
    const { publicKey, scopes } = parseBody(ticketRequestSchema, request.body);
    const workspace = await store.read((transaction) =>
      requireWorkspace(transaction, token, request.params.name),
    );
    const { ticket, id } = await issuer.issue({
      workspaceId: workspace.id,
      subject: token.name,
      tokenId: token.id,
      scopes: narrowScopes(token.role === 'admin' ? ['owner'] : token.scopes, scopes),
      publicKey,
    });
    audit.record({
      action: 'ticket.issued',
      workspaceId: workspace.id,
      actor: token.id,
      subject: token.name,
      object: id,
      source: addressOf(request.raw),
    });
    return {
      ticket,
      workspaceId: workspace.id,
      workspace: workspace.name,
      subject: token.name,
      online: hub.agentOf(workspace.id) !== undefined,
      agentKey: workspace.agentKey,
      sshHostKey: workspace.sshHostKey,
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
