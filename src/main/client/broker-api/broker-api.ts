import type { z } from 'zod';
import {
  fromErrorRecord,
  HoldfastError,
  limits,
  type AbortOptions,
} from '../../../shared/common/index.js';
import {
  httpErrorSchema,
  shareCreatedSchema,
  shareListSchema,
  ticketResponseSchema,
  tokenCreatedSchema,
  tokenListSchema,
  whoamiSchema,
  workspaceAddedSchema,
  workspaceInfoSchema,
  workspaceListSchema,
} from '../../../shared/common/wire/index.js';
import { brokerOrigin } from '../../../shared/node/broker-url/index.js';
import { sendHttp, type HttpAnswer } from './http.js';
import type { BrokerApi, BrokerApiOptions } from './types.js';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

interface RequestOptions extends AbortOptions {
  readonly body?: unknown;
}

/**
 * The API of the broker at `brokerUrl`; nothing is sent before the first call.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT if that is no http(s) address.
 */
export function createBrokerApi(options: BrokerApiOptions): BrokerApi {
  const origin = brokerOrigin(options.brokerUrl);
  const { token, timeoutMs = limits.BROKER_REQUEST_MS } = options;

  async function send(method: Method, path: string, request: RequestOptions): Promise<HttpAnswer> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal =
      request.signal === undefined ? deadline : AbortSignal.any([deadline, request.signal]);
    try {
      return await sendHttp(new URL(origin + path), {
        method,
        signal,
        headers: {
          authorization: `Bearer ${token}`,
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: request.body === undefined ? undefined : JSON.stringify(request.body),
      });
    } catch (error) {
      if (request.signal?.aborted === true)
        throw new HoldfastError('ERR_CLOSED', 'request given up', { cause: error });
      throw unreachable(origin, error);
    }
  }

  async function call<T>(
    method: Method,
    path: string,
    schema: z.ZodType<T> | undefined,
    request: RequestOptions = {},
  ): Promise<T> {
    const { status, body } = await send(method, path, request);
    if (status < 200 || status > 299) throw answeredError(status, body);
    if (schema === undefined) return undefined as T;
    const result = schema.safeParse(parseJson(body));
    if (result.success) return result.data;
    throw new HoldfastError('ERR_PROTOCOL', `${origin} did not answer as a Holdfast broker does`);
  }

  return {
    whoami: (request) => call('GET', '/api/v1/whoami', whoamiSchema, request),
    listWorkspaces: async (request) =>
      (await call('GET', '/api/v1/workspaces', workspaceListSchema, request)).workspaces,
    addWorkspace: (body, request) =>
      call('POST', '/api/v1/workspaces', workspaceAddedSchema, { ...request, body }),
    updateWorkspace: (name, body, request) =>
      call('PATCH', workspacePath(name), workspaceInfoSchema, { ...request, body }),
    removeWorkspace: (name, request) => call('DELETE', workspacePath(name), undefined, request),
    renewAgentToken: (name, { forgetKey = false, ...request } = {}) =>
      call('POST', `${workspacePath(name)}/agent-token`, workspaceAddedSchema, {
        ...request,
        body: { forgetKey },
      }),
    listTokens: async (request) =>
      (await call('GET', '/api/v1/tokens', tokenListSchema, request)).tokens,
    createToken: (body, request) =>
      call('POST', '/api/v1/tokens', tokenCreatedSchema, { ...request, body }),
    revokeToken: (id, request) =>
      call('DELETE', `/api/v1/tokens/${encodeURIComponent(id)}`, undefined, request),
    listShares: async ({ workspace, ...request } = {}) =>
      (
        await call(
          'GET',
          workspace === undefined
            ? '/api/v1/shares'
            : `/api/v1/shares?workspace=${encodeURIComponent(workspace)}`,
          shareListSchema,
          request,
        )
      ).shares,
    createShare: (body, request) =>
      call('POST', '/api/v1/shares', shareCreatedSchema, { ...request, body }),
    revokeShare: (id, request) =>
      call('DELETE', `/api/v1/shares/${encodeURIComponent(id)}`, undefined, request),
    getTicket: (workspace, { publicKey, scopes, ...request }) =>
      call('POST', `${workspacePath(workspace)}/tickets`, ticketResponseSchema, {
        ...request,
        body: { publicKey, ...(scopes === undefined ? {} : { scopes }) },
      }),
  };
}

function workspacePath(name: string): string {
  return `/api/v1/workspaces/${encodeURIComponent(name)}`;
}

/** The innermost reason: of several addresses that were tried, that of the last. */
function unreachable(origin: string, error: unknown): HoldfastError {
  const cause = error instanceof AggregateError ? (error.errors.at(-1) as unknown) : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  const why =
    cause instanceof Error
      ? cause.name === 'TimeoutError'
        ? 'no answer in time'
        : cause.message || (code ?? cause.name)
      : String(cause);
  return new HoldfastError('ERR_BROKER_UNREACHABLE', `${origin}: ${why}`, { cause: error });
}

function answeredError(status: number, body: string): HoldfastError {
  const parsed = httpErrorSchema.safeParse(parseJson(body));
  if (parsed.success) return fromErrorRecord(parsed.data.error);
  return new HoldfastError(
    status === 401 ? 'ERR_UNAUTHORIZED' : status >= 500 ? 'ERR_BROKER_UNREACHABLE' : 'ERR_PROTOCOL',
    `the broker answered with status ${String(status)}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
