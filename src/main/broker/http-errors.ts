import type { FastifyError } from 'fastify';
import type { z } from 'zod';
import {
  HoldfastError,
  isErrorCode,
  type ErrorCode,
  type ErrorRecord,
} from '../../shared/common/index.js';

/** The HTTP status of each code that a request can meet; everything else is 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_INVALID_ARGUMENT: 400,
  ERR_PROTOCOL: 400,
  ERR_PROTOCOL_VERSION: 400,
  ERR_TICKET: 401,
  ERR_UNAUTHORIZED: 401,
  ERR_FORBIDDEN: 403,
  ERR_SHARE_MISMATCH: 403,
  ERR_NOT_FOUND: 404,
  ERR_WORKSPACE_NOT_FOUND: 404,
  ERR_GIT_KEY: 404,
  ERR_WORKSPACE_EXISTS: 409,
  ERR_SHARE_REVOKED: 410,
  ERR_SHARE_EXPIRED: 410,
  ERR_MESSAGE_TOO_LARGE: 413,
  ERR_RATE_LIMITED: 429,
  ERR_PEER_LIMIT: 503,
  ERR_AGENT_OFFLINE: 503,
  ERR_CLOSED: 503,
};

/** What a failed request is answered with. */
export interface HttpFailure {
  readonly status: number;
  readonly error: ErrorRecord;
}

/** The answer to any thrown value. An unforeseen one tells nothing about itself to the outside. */
export function httpFailure(thrown: unknown): HttpFailure {
  if (thrown instanceof HoldfastError)
    return {
      status: STATUS[thrown.code] ?? 500,
      error: { code: thrown.code, message: thrown.message },
    };
  const { statusCode = 500, message = '' } = thrown as Partial<FastifyError>;
  if (statusCode === 413)
    return { status: 413, error: { code: 'ERR_MESSAGE_TOO_LARGE', message: 'body is too long' } };
  if (statusCode >= 400 && statusCode < 500)
    return {
      status: statusCode,
      error: {
        code: statusCode === 404 ? 'ERR_NOT_FOUND' : 'ERR_INVALID_ARGUMENT',
        message: message.slice(0, 200),
      },
    };
  return { status: 500, error: { code: 'ERR_INTERNAL', message: 'internal error' } };
}

/** `body` as `schema` has it. @throws {HoldfastError} ERR_INVALID_ARGUMENT naming the field. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new HoldfastError(
    'ERR_INVALID_ARGUMENT',
    `${field === '' ? 'body' : field}: ${issue?.message ?? 'malformed'}`.slice(0, 200),
  );
}

/** A response to an upgrade that is refused before there is a WebSocket. */
export function rawFailure(thrown: unknown): string {
  const { status, error } = httpFailure(thrown);
  const code = isErrorCode(error.code) ? error.code : 'ERR_INTERNAL';
  const body = JSON.stringify({ error });
  return [
    `HTTP/1.1 ${String(status)} ${code}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${String(Buffer.byteLength(body))}`,
    '',
    body,
  ].join('\r\n');
}
