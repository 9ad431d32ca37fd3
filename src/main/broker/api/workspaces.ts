import type { FastifyInstance } from 'fastify';
import { HoldfastError, limits } from '../../../shared/common/index.js';
import {
  agentTokenRequestSchema,
  metadataSchema,
  workspaceInputSchema,
  workspacePatchSchema,
  type WorkspaceAdded,
  type WorkspaceInfo,
} from '../../../shared/common/wire/index.js';
import { addressOf, hashToken, mintId, mintToken } from '../auth/index.js';
import type { Hub } from '../signalling/index.js';
import type { AgentTokenRecord, StoreTransaction, WorkspaceRecord } from '../store/index.js';
import { reaches, requireAdmin, requireWorkspace } from './access.js';
import type { ApiContext } from './context.js';
import { endShares } from './end-shares.js';
import { parseBody } from '../http-errors.js';

interface ByName {
  readonly Params: { readonly name: string };
}

/** `/api/v1/workspaces`: anyone sees what their token reaches; admins add, change and remove. */
export function workspaceRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, authenticator, hub, relays } = context;

  app.get('/api/v1/workspaces', async (request) => {
    const token = await authenticator.user(request.raw);
    const records = await store.read((transaction) => transaction.workspaces());
    return {
      workspaces: records
        .filter((record) => reaches(token, record.id))
        .map((record) => workspaceInfo(record, hub)),
    };
  });

  app.post('/api/v1/workspaces', async (request, reply) => {
    const token = await authenticator.user(request.raw);
    requireAdmin(token);
    const { name, gitKey, ...metadata } = parseBody(workspaceInputSchema, request.body);
    const agentToken = mintToken('agent');
    const record: WorkspaceRecord = {
      id: mintId(),
      name,
      metadata: metadataSchema.parse(metadata),
      gitKey,
      createdAt: Date.now(),
    };
    await store.write((transaction) => {
      if (transaction.workspaceByName(name) !== undefined)
        throw new HoldfastError('ERR_WORKSPACE_EXISTS', `there is a workspace ${name} already`);
      if (transaction.workspaces().length >= limits.WORKSPACES)
        throw new HoldfastError('ERR_PEER_LIMIT', 'this broker has its full number of workspaces');
      transaction.putWorkspace(record);
      transaction.putToken(agentTokenRecord(record.id, agentToken));
      transaction.audit({
        at: Date.now(),
        action: 'workspace.added',
        workspaceId: record.id,
        actor: token.id,
        subject: token.name,
        source: addressOf(request.raw),
        detail: name,
      });
    });
    return await reply
      .code(201)
      .send({ workspace: workspaceInfo(record, hub), agentToken } satisfies WorkspaceAdded);
  });

  app.patch<ByName>('/api/v1/workspaces/:name', async (request) => {
    const token = await authenticator.user(request.raw);
    requireAdmin(token);
    const { gitKey, ...metadata } = parseBody(workspacePatchSchema, request.body);
    const changed = await store.write((transaction) => {
      const old = requireWorkspace(transaction, token, request.params.name);
      const record: WorkspaceRecord = {
        ...old,
        metadata: metadataSchema.parse({ ...old.metadata, ...metadata }),
        gitKey: gitKey === undefined ? old.gitKey : (gitKey ?? undefined),
      };
      if (JSON.stringify(record.metadata).length > limits.METADATA_BYTES)
        throw new HoldfastError('ERR_INVALID_ARGUMENT', 'metadata is too long');
      transaction.putWorkspace(record);
      transaction.audit({
        at: Date.now(),
        action: 'workspace.changed',
        workspaceId: old.id,
        actor: token.id,
        subject: token.name,
        source: addressOf(request.raw),
        detail: Object.keys({ ...metadata, ...(gitKey === undefined ? {} : { gitKey }) }).join(' '),
      });
      return record;
    });
    return workspaceInfo(changed, hub);
  });

  app.delete<ByName>('/api/v1/workspaces/:name', async (request, reply) => {
    const token = await authenticator.user(request.raw);
    requireAdmin(token);
    const { id, shares } = await store.write((transaction) => {
      const record = requireWorkspace(transaction, token, request.params.name);
      const doors = transaction.shares(record.id);
      for (const share of doors) transaction.removeShare(share.id);
      transaction.removeWorkspace(record.id);
      transaction.removeToken(agentTokenId(record.id));
      transaction.audit({
        at: Date.now(),
        action: 'workspace.removed',
        workspaceId: record.id,
        actor: token.id,
        subject: token.name,
        source: addressOf(request.raw),
        detail: record.name,
      });
      return { id: record.id, shares: doors };
    });
    // Before the agent's link ends: whoever came through a share link must not outlast it.
    endShares(context, shares);
    hub.endWorkspace(id);
    relays.endWorkspace(id);
    return await reply.code(204).send();
  });

  app.post<ByName>('/api/v1/workspaces/:name/agent-token', async (request) => {
    const token = await authenticator.user(request.raw);
    requireAdmin(token);
    const { forgetKey } = parseBody(agentTokenRequestSchema, request.body);
    const agentToken = mintToken('agent');
    const record = await store.write((transaction) => {
      const old = requireWorkspace(transaction, token, request.params.name);
      transaction.putToken(agentTokenRecord(old.id, agentToken));
      const kept = forgetKey ? withoutKeys(transaction, old) : old;
      transaction.audit({
        at: Date.now(),
        action: 'token.created',
        workspaceId: old.id,
        actor: token.id,
        subject: token.name,
        object: agentTokenId(old.id),
        source: addressOf(request.raw),
        detail: forgetKey ? 'agent token renewed, key forgotten' : 'agent token renewed',
      });
      return kept;
    });
    hub.endToken(agentTokenId(record.id));
    return { workspace: workspaceInfo(record, hub), agentToken } satisfies WorkspaceAdded;
  });
}

/** One agent token per workspace: the same id for each, so that a new one replaces the old. */
function agentTokenId(workspaceId: string): string {
  return `agent-${workspaceId}`;
}

function agentTokenRecord(workspaceId: string, secret: string): AgentTokenRecord {
  return {
    kind: 'agent',
    id: agentTokenId(workspaceId),
    hash: hashToken(secret),
    createdAt: Date.now(),
    workspaceId,
  };
}

function withoutKeys(transaction: StoreTransaction, old: WorkspaceRecord): WorkspaceRecord {
  const record = { ...old, agentKey: undefined, sshHostKey: undefined };
  transaction.putWorkspace(record);
  return record;
}

function workspaceInfo(record: WorkspaceRecord, hub: Hub): WorkspaceInfo {
  const { id, name, metadata, agentKey, sshHostKey, agentVersion, lastSeenAt } = record;
  return {
    id,
    name,
    ownerEmail: metadata.owner_email,
    ownerUsername: metadata.owner_username,
    directory: metadata.directory,
    hasStartupScript: metadata.startup_script !== undefined && metadata.startup_script !== '',
    hasGitKey: record.gitKey !== undefined,
    createdAt: new Date(record.createdAt).toISOString(),
    online: hub.agentOf(id) !== undefined,
    lastSeenAt: lastSeenAt === undefined ? undefined : new Date(lastSeenAt).toISOString(),
    agentVersion,
    agentKey,
    sshHostKey,
  };
}
