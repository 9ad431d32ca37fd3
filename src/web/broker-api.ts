import { fromErrorRecord, HoldfastError, type ErrorCode } from '../shared/common/index.js';
import { pinnedAgentKey } from './connection/pins.js';
import {
  formatShareLink,
  httpErrorSchema,
  shareCreatedSchema,
  shareListSchema,
  ticketResponseSchema,
  workspaceListSchema,
  type ShareInfo,
  type ShareInput,
  type TicketResponse,
  type WorkspaceInfo,
} from '../shared/common/wire/index.js';

/** The part of a schema that is needed here. */
interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}

/** The workspaces that this token may see. @throws {HoldfastError} as {@link request}. */
export async function listWorkspaces(
  token: string,
  signal: AbortSignal,
): Promise<readonly WorkspaceInfo[]> {
  const { workspaces } = await request(token, '/api/v1/workspaces', workspaceListSchema, {
    signal,
  });
  return workspaces;
}

/** The share links of `workspace`, newest first; only its owners may see them. */
export async function listShares(
  token: string,
  workspace: string,
  signal: AbortSignal,
): Promise<readonly ShareInfo[]> {
  const path = `/api/v1/shares?workspace=${encodeURIComponent(workspace)}`;
  return (await request(token, path, shareListSchema, { signal })).shares;
}

/**
 * A new share link, as a person passes it on. It cannot be shown again: treat it as a password.
 * @throws {HoldfastError} ERR_PEER_AUTH if the broker names another agent than the one this browser knows;
 *   the link is revoked then.
 */
export async function createShare(
  token: string,
  input: ShareInput,
  signal: AbortSignal,
): Promise<{ readonly share: ShareInfo; readonly link: string }> {
  const { share, secret, agentKey, publicUrl } = await request(
    token,
    '/api/v1/shares',
    shareCreatedSchema,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
      signal,
    },
  );
  const { workspace, terminal } = share;
  if ((pinnedAgentKey(workspace) ?? agentKey) !== agentKey) {
    await revokeShare(token, share.id, signal);
    throw new HoldfastError('ERR_PEER_AUTH', `the agent of ${workspace} has a new key`);
  }
  const origin = publicUrl ?? location.origin;
  return { share, link: formatShareLink({ origin, workspace, terminal, secret, agentKey }) };
}

/** Ends a share link; whoever is connected through it is out at once. */
export async function revokeShare(token: string, id: string, signal: AbortSignal): Promise<void> {
  const path = `/api/v1/shares/${encodeURIComponent(id)}`;
  await request(token, path, nothing, { method: 'DELETE', signal });
}

/** The body of an answer that has none. */
const nothing: Schema<undefined> = {
  safeParse: () => ({ success: true, data: undefined }),
};

/** A ticket for one connection attempt; `publicKey` is the key that the page will prove to hold. */
export function requestTicket(
  token: string,
  workspace: string,
  publicKey: string,
  signal: AbortSignal,
): Promise<TicketResponse> {
  return request(token, `/api/v1/workspaces/${workspace}/tickets`, ticketResponseSchema, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ publicKey }),
    signal,
  });
}

/**
 * @throws {HoldfastError} what the broker said, ERR_BROKER_UNREACHABLE if it said nothing, ERR_PROTOCOL
 * if it cannot be understood, ERR_CLOSED if `signal` aborts.
 */
async function request<T>(
  token: string,
  path: string,
  schema: Schema<T>,
  init: RequestInit & { readonly signal: AbortSignal },
): Promise<T> {
  let response: Response;
  let body: unknown;
  try {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    response = await fetch(path, {
      ...init,
      headers,
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
    });
    body = await response.json().catch(() => undefined);
  } catch (error) {
    if (init.signal.aborted) throw new HoldfastError('ERR_CLOSED', 'request given up');
    throw new HoldfastError('ERR_BROKER_UNREACHABLE', 'the broker cannot be reached', {
      cause: error,
    });
  }
  if (!response.ok) {
    const failure = httpErrorSchema.safeParse(body);
    if (failure.success) throw fromErrorRecord(failure.data.error);
    throw new HoldfastError(codeOf(response.status), `HTTP status ${String(response.status)}`);
  }
  const result = schema.safeParse(body);
  if (!result.success) throw new HoldfastError('ERR_PROTOCOL', `unexpected answer from ${path}`);
  return result.data;
}

/** For answers that did not come from the broker itself but from something in front of it. */
function codeOf(status: number): ErrorCode {
  if (status === 401) return 'ERR_UNAUTHORIZED';
  if (status === 403) return 'ERR_FORBIDDEN';
  if (status === 404) return 'ERR_NOT_FOUND';
  if (status === 429) return 'ERR_RATE_LIMITED';
  return 'ERR_BROKER_UNREACHABLE';
}
