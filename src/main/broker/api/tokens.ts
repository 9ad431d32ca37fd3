import type { FastifyInstance } from 'fastify';
import { HoldfastError, limits } from '../../../shared/common/index.js';
import {
  tokenInputSchema,
  type TokenCreated,
  type TokenInfo,
  type WhoAmI,
} from '../../../shared/common/wire/index.js';
import { PACKAGE_VERSION } from '../../../shared/node/package-info/index.js';
import { addressOf, hashToken, mintId, mintToken, narrowScopes } from '../auth/index.js';
import type { StoreTransaction, UserTokenRecord } from '../store/index.js';
import { requireWorkspace } from './access.js';
import type { ApiContext } from './context.js';
import { endShares, revokeIn } from './end-shares.js';
import { parseBody } from '../http-errors.js';

/**
 * `/api/v1/tokens` and `/api/v1/whoami`. Admins manage every token. Whoever owns workspaces (scope
 * `owner`) may make tokens that reach no further than their own, see those and revoke them; a token
 * ends together with the one that made it, and so do the share links made with it.
 */
export function tokenRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, authenticator, hub, relays } = context;

  app.get('/api/v1/whoami', async (request) => {
    const token = await authenticator.user(request.raw);
    const info = await store.read((transaction) => tokenInfo(transaction, token));
    return { token: info, brokerVersion: PACKAGE_VERSION } satisfies WhoAmI;
  });

  app.get('/api/v1/tokens', async (request) => {
    const token = await authenticator.user(request.raw);
    const tokens = await store.read((transaction) =>
      userTokens(transaction)
        .filter((one) => one.id === token.id || mayManage(token, one))
        .map((one) => tokenInfo(transaction, one)),
    );
    return { tokens };
  });

  app.post('/api/v1/tokens', async (request, reply) => {
    const maker = await authenticator.user(request.raw);
    const input = parseBody(tokenInputSchema, request.body);
    requireWider(maker, input);
    const secret = mintToken('user');
    const now = Date.now();
    const expiresAt = input.expiresIn === undefined ? undefined : now + input.expiresIn * 1_000;
    const created = await store.write((transaction) => {
      if (userTokens(transaction).length >= limits.TOKENS)
        throw new HoldfastError('ERR_PEER_LIMIT', 'this broker has its full number of tokens');
      const record: UserTokenRecord = {
        kind: 'user',
        id: mintId(),
        hash: hashToken(secret),
        name: input.name,
        role: input.role,
        workspaces:
          input.workspaces === 'all'
            ? 'all'
            : input.workspaces.map((name) => requireWorkspace(transaction, maker, name).id),
        scopes: narrowScopes(maker.role === 'admin' ? ['owner'] : maker.scopes, input.scopes),
        createdAt: now,
        expiresAt: earlier(expiresAt, maker.expiresAt),
        createdBy: maker.id,
      };
      transaction.putToken(record);
      transaction.audit({
        at: now,
        action: 'token.created',
        actor: maker.id,
        subject: maker.name,
        object: record.id,
        source: addressOf(request.raw),
        detail: `${record.name}: ${record.role}, ${record.scopes.join(' ')}`.slice(0, 200),
      });
      return tokenInfo(transaction, record);
    });
    return await reply.code(201).send({ token: created, secret } satisfies TokenCreated);
  });

  app.delete<{ Params: { id: string } }>('/api/v1/tokens/:id', async (request, reply) => {
    const token = await authenticator.user(request.raw);
    const { ended, shares } = await store.write((transaction) => {
      const record = transaction.token(request.params.id);
      if (record?.kind !== 'user' || (record.id !== token.id && !mayManage(token, record)))
        throw new HoldfastError('ERR_NOT_FOUND', 'no token of this id');
      const all = withDescendants(transaction, record);
      for (const one of all) {
        transaction.removeToken(one.id);
        transaction.audit({
          at: Date.now(),
          action: 'token.revoked',
          actor: token.id,
          subject: token.name,
          object: one.id,
          source: addressOf(request.raw),
          detail: one.name,
        });
      }
      const gone = new Set(all.map(({ id }) => id));
      const made = transaction.shares().filter(({ createdBy }) => gone.has(createdBy));
      const source = addressOf(request.raw);
      return { ended: gone, shares: revokeIn(transaction, made, { token, source }) };
    });
    endShares(context, shares);
    for (const id of ended) {
      hub.endToken(id);
      relays.endToken(id);
    }
    return await reply.code(204).send();
  });
}

function userTokens(transaction: StoreTransaction): UserTokenRecord[] {
  return transaction.tokens().filter((token) => token.kind === 'user');
}

function mayManage(token: UserTokenRecord, other: UserTokenRecord): boolean {
  return token.role === 'admin' || other.createdBy === token.id;
}

/** @throws {HoldfastError} ERR_FORBIDDEN if the new token would reach further than its maker. */
function requireWider(
  maker: UserTokenRecord,
  input: { readonly role: string; readonly workspaces: 'all' | readonly string[] },
): void {
  if (maker.role === 'admin') return;
  if (!maker.scopes.includes('owner'))
    throw new HoldfastError('ERR_FORBIDDEN', 'only owners may make tokens');
  if (input.role === 'admin')
    throw new HoldfastError('ERR_FORBIDDEN', 'only admins may make tokens of role admin');
  if (input.workspaces === 'all' && maker.workspaces !== 'all')
    throw new HoldfastError('ERR_FORBIDDEN', 'this token does not reach all workspaces');
}

/** A revoked token takes with it what was made with it, else its holder would simply make another. */
function withDescendants(transaction: StoreTransaction, root: UserTokenRecord): UserTokenRecord[] {
  const all = userTokens(transaction);
  const found = [root];
  for (const parent of found) found.push(...all.filter((one) => one.createdBy === parent.id));
  return found;
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

function tokenInfo(transaction: StoreTransaction, token: UserTokenRecord): TokenInfo {
  return {
    id: token.id,
    name: token.name,
    role: token.role,
    workspaces:
      token.workspaces === 'all'
        ? 'all'
        : token.workspaces.flatMap((id) => transaction.workspace(id)?.name ?? []),
    scopes: [...token.scopes],
    createdAt: new Date(token.createdAt).toISOString(),
    expiresAt: token.expiresAt === undefined ? undefined : new Date(token.expiresAt).toISOString(),
  };
}
