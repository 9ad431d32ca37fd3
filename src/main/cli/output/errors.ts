import { HoldfastError, type ErrorCode } from '../../../shared/common/index.js';
import { oneLine } from './style.js';

/** Exit codes of every command, but for those that pass on the status of something remote. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  denied: 3,
  notFound: 4,
  unreachable: 5,
  local: 6,
  internal: 70,
  interrupted: 130,
} as const;

/** What each exit code means: the text of `--help`, and of docs/configuration.md. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'done',
  failure: 'failed, for a reason that the message names',
  usage: 'a wrong option, argument or configuration file',
  denied: 'not logged in, or not allowed',
  notFound: 'no such workspace, terminal or other thing',
  unreachable: 'broker or agent not reached, or lost',
  local: 'port, folder or socket of this machine not usable',
  internal: 'a defect in Holdfast',
  interrupted: 'interrupted with Ctrl-C',
};

const EXIT_OF: Partial<Record<ErrorCode, keyof typeof EXIT>> = {
  ERR_INVALID_ARGUMENT: 'usage',
  ERR_CONFIG: 'usage',
  ERR_CHANNEL_LABEL: 'usage',
  ERR_NOT_LOGGED_IN: 'denied',
  ERR_UNAUTHORIZED: 'denied',
  ERR_FORBIDDEN: 'denied',
  ERR_TICKET: 'denied',
  ERR_PEER_AUTH: 'denied',
  ERR_FORWARD_DENIED: 'denied',
  ERR_READ_ONLY: 'denied',
  ERR_SHARE_REVOKED: 'denied',
  ERR_SHARE_EXPIRED: 'denied',
  ERR_SHARE_FULL: 'denied',
  ERR_SHARE_MISMATCH: 'denied',
  ERR_NOT_FOUND: 'notFound',
  ERR_WORKSPACE_NOT_FOUND: 'notFound',
  ERR_TERMINAL_NOT_FOUND: 'notFound',
  ERR_RECORDING_NOT_FOUND: 'notFound',
  ERR_BROKER_UNREACHABLE: 'unreachable',
  ERR_AGENT_OFFLINE: 'unreachable',
  ERR_PEER_TIMEOUT: 'unreachable',
  ERR_PEER_LOST: 'unreachable',
  ERR_STATE_DIR: 'local',
  ERR_ALREADY_RUNNING: 'local',
  ERR_PORT_IN_USE: 'local',
  ERR_INTERNAL: 'internal',
};

/** The exit code for a failure with this code. */
export function exitCodeOf(code: ErrorCode): number {
  return EXIT[EXIT_OF[code] ?? 'failure'];
}

/** Any thrown value as a HoldfastError; what nobody foresaw is a defect, and says so. */
export function asHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HoldfastError('ERR_INTERNAL', message === '' ? 'unknown failure' : message, {
    cause: error,
  });
}

/**
 * The two lines that every failure of `program` prints: what went wrong, and what to do. Ends with a line
 * break.
 */
export function formatError(error: HoldfastError, program = 'holdfast'): string {
  return `${program}: ${error.code}: ${oneLine(error.message)}\nhint: ${oneLine(error.hint)}\n`;
}
