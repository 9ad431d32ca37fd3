import type { ErrorCode } from '../errors.js';

/**
 * Codes after which attaching again would fail the same way. Everything else is a matter of time: a
 * worker that is replaced, a connection that comes back, a limit that frees up.
 */
const FATAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_INVALID_ARGUMENT',
  'ERR_CONFIG',
  'ERR_NOT_LOGGED_IN',
  'ERR_UNAUTHORIZED',
  'ERR_FORBIDDEN',
  'ERR_NOT_FOUND',
  'ERR_WORKSPACE_NOT_FOUND',
  'ERR_PEER_AUTH',
  'ERR_PROTOCOL',
  'ERR_PROTOCOL_VERSION',
  'ERR_MESSAGE_TOO_LARGE',
  'ERR_UNKNOWN_PROTOCOL',
  'ERR_CHANNEL_LABEL',
  'ERR_FRAME',
  'ERR_TERMINAL_NOT_FOUND',
  'ERR_TERMINAL_LIMIT',
  'ERR_TERMINAL_QUOTA',
  'ERR_READ_ONLY',
  'ERR_SHARE_REVOKED',
  'ERR_SHARE_EXPIRED',
  'ERR_SHARE_FULL',
  'ERR_SHARE_MISMATCH',
  'ERR_VIEWER_DROPPED',
  'ERR_SHELL_NOT_FOUND',
  'ERR_DIRECTORY_NOT_FOUND',
  'ERR_SPAWN',
  'ERR_UNSUPPORTED',
]);

/** Whether trying again is pointless after an error of this code. */
export function isFatal(code: ErrorCode): boolean {
  return FATAL.has(code);
}
