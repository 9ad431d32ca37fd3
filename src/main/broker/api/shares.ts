import type { FastifyInstance } from 'fastify';
import { HoldfastError, limits } from '../../../shared/common/index.js';
import {
  shareInputSchema,
  type ShareCreated,
  type ShareInfo,
} from '../../../shared/common/wire/index.js';
import { addressOf, hashToken, mintId, mintToken, shareScope, shareState } from '../auth/index.js';
import type {
  ShareRecord,
  StoreTransaction,
  UserTokenRecord,
  WorkspaceRecord,
} from '../store/index.js';
import { reaches, requireWorkspace } from './access.js';
import type { ApiContext } from './context.js';
import { endShares, revokeIn } from './end-shares.js';
import { parseBody } from '../http-errors.js';

/**
 * `/api/v1/shares`: links that let their holders into one workspace, for its owners to make, see and
 * revoke. An owner sees the links of other owners of the same workspace too: they are doors to it.
 */
export function shareRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, authenticator, publicUrl } = context;

  app.get<{ Querystring: { workspace?: unknown } }>('/api/v1/shares', async (request) => {
    const token = await authenticator.user(request.raw);
    requireOwner(token);
    const { workspace } = request.query;
    const shares = await store.read((transaction) => {
      const of =
        typeof workspace === 'string'
          ? [requireWorkspace(transaction, token, workspace)]
          : transaction.workspaces().filter(({ id }) => reaches(token, id));
      return of.flatMap((one) =>
        transaction
          .shares(one.id)
          .sort((a, b) => b.createdAt - a.createdAt)
          .map((share) => shareInfo(transaction, share, one)),
      );
    });
    return { shares };
  });

  app.post('/api/v1/shares', async (request, reply) => {
    const maker = await authenticator.user(request.raw);
    requireOwner(maker);
    const input = parseBody(shareInputSchema, request.body);
    const secret = mintToken('share');
    const created = await store.write((transaction) => {
      const workspace = requireWorkspace(transaction, maker, input.workspace);
      if (workspace.agentKey === undefined)
        throw new HoldfastError(
          'ERR_AGENT_OFFLINE',
          'no agent was ever connected for this workspace, so a link cannot say whom it leads to',
        );
      makeRoom(transaction, workspace.id);
      // Read once, so that the life of the link is exactly what was asked for.
      const now = Date.now();
      const record: ShareRecord = {
        kind: 'share',
        id: mintId(),
        hash: hashToken(secret),
        workspaceId: workspace.id,
        terminal: input.terminal,
        mode: input.mode,
        name: input.name,
        viewers: input.viewers,
        createdAt: now,
        expiresAt: endOf(now, input.expiresIn, maker),
        createdBy: maker.id,
      };
      transaction.putShare(record);
      transaction.audit({
        at: now,
        action: 'share.created',
        workspaceId: workspace.id,
        actor: maker.id,
        subject: maker.name,
        object: record.id,
        source: addressOf(request.raw),
        detail: `${record.name}: ${shareScope(record)}`.slice(0, 200),
      });
      return {
        share: shareInfo(transaction, record, workspace),
        agentKey: workspace.agentKey,
      };
    });
    return await reply.code(201).send({ ...created, secret, publicUrl } satisfies ShareCreated);
  });

  app.delete<{ Params: { id: string } }>('/api/v1/shares/:id', async (request, reply) => {
    const token = await authenticator.user(request.raw);
    requireOwner(token);
    const revoked = await store.write((transaction) => {
      const share = transaction.share(request.params.id);
      if (share === undefined || !reaches(token, share.workspaceId))
        throw new HoldfastError('ERR_NOT_FOUND', 'no share link of this id');
      return revokeIn(transaction, [share], { token, source: addressOf(request.raw) });
    });
    endShares(context, revoked);
    return await reply.code(204).send();
  });
}

/** @throws {HoldfastError} ERR_FORBIDDEN: only who may do everything may let others in. */
function requireOwner(token: UserTokenRecord): void {
  if (token.role !== 'admin' && !token.scopes.includes('owner'))
    throw new HoldfastError('ERR_FORBIDDEN', 'only owners may share a workspace');
}

/** When the link ends: at the latest with the token that makes it. */
function endOf(
  now: number,
  expiresIn: number | null | undefined,
  maker: UserTokenRecord,
): number | undefined {
  if (expiresIn === null) return maker.expiresAt;
  const end = now + (expiresIn === undefined ? limits.SHARE_MS : expiresIn * 1_000);
  return maker.expiresAt === undefined ? end : Math.min(end, maker.expiresAt);
}

/**
 * Forgets the oldest links that have ended, beyond those that are kept.
 * @throws {HoldfastError} ERR_PEER_LIMIT if too many are in force.
 */
function makeRoom(transaction: StoreTransaction, workspaceId: string): void {
  const all = transaction.shares(workspaceId).sort((a, b) => b.createdAt - a.createdAt);
  const ended = all.filter((share) => shareState(share) !== 'active');
  if (all.length - ended.length >= limits.SHARES_PER_WORKSPACE)
    throw new HoldfastError('ERR_PEER_LIMIT', 'this workspace has its full number of share links', {
      hint: 'Revoke some with `holdfast share revoke`.',
    });
  for (const { id } of ended.slice(limits.SHARES_ENDED_KEPT)) transaction.removeShare(id);
}

function shareInfo(
  transaction: StoreTransaction,
  share: ShareRecord,
  workspace: WorkspaceRecord,
): ShareInfo {
  const maker = transaction.token(share.createdBy);
  return {
    id: share.id,
    workspace: workspace.name,
    terminal: share.terminal,
    mode: share.mode,
    name: share.name,
    viewers: share.viewers,
    state: shareState(share),
    createdAt: new Date(share.createdAt).toISOString(),
    createdBy: maker?.kind === 'user' ? maker.name : undefined,
    expiresAt: share.expiresAt === undefined ? undefined : new Date(share.expiresAt).toISOString(),
    revokedAt: share.revokedAt === undefined ? undefined : new Date(share.revokedAt).toISOString(),
  };
}
