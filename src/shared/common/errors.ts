/**
 * Every failure Holdfast reports on purpose is a {@link HoldfastError} with a code from
 * {@link ERROR_CODES}. The table is the single source: docs/errors.md is checked against it, and the
 * CLI prints `hint` under the message. Match on `code`, never on the message or on `instanceof`
 * across threads: an Error loses its class and code when it is cloned to another thread, so only
 * {@link ErrorRecord}s cross a port or a wire.
 */

/** One line on what went wrong, and one on what the person reading it can do. */
export interface ErrorMeaning {
  readonly meaning: string;
  readonly hint: string;
}

export const ERROR_CODES = {
  ERR_INVALID_ARGUMENT: {
    meaning: 'An option, argument or field has a value that cannot be used.',
    hint: 'Correct the field named in the message.',
  },
  ERR_CONFIG: {
    meaning: 'A configuration file cannot be read or does not say what it must.',
    hint: 'Correct or remove the file named in the message.',
  },
  ERR_STATE_DIR: {
    meaning: 'The state folder cannot be created, written or trusted.',
    hint: 'Give a folder that you own with --state-dir; it must not be a link.',
  },
  ERR_ALREADY_RUNNING: {
    meaning: 'Another Holdfast process uses this state folder.',
    hint: 'Stop that process first, or give this one a folder of its own with --state-dir.',
  },
  ERR_PORT_IN_USE: {
    meaning: 'The address to listen on is taken.',
    hint: 'Choose another port with --port, or --port 0 for any free one.',
  },
  ERR_NOT_LOGGED_IN: {
    meaning: 'There is no usable login for this broker.',
    hint: 'Run `holdfast login URL` with a token from the broker.',
  },
  ERR_BROKER_UNREACHABLE: {
    meaning: 'The broker did not answer.',
    hint: 'Check the address and that the broker is running.',
  },
  ERR_UNAUTHORIZED: {
    meaning: 'The token was not accepted.',
    hint: 'Log in again, or ask for a new token; this one may be revoked.',
  },
  ERR_FORBIDDEN: {
    meaning: 'The credential is good but does not allow this.',
    hint: 'Ask the owner of the workspace for a wider scope.',
  },
  ERR_RATE_LIMITED: {
    meaning: 'Too many attempts in a short time.',
    hint: 'Wait a minute and try again.',
  },
  ERR_NOT_FOUND: {
    meaning: 'There is nothing at this address.',
    hint: 'Check the name or address.',
  },
  ERR_WORKSPACE_NOT_FOUND: {
    meaning: 'No workspace of this name is known to the broker, or you may not see it.',
    hint: 'List the workspaces with `holdfast workspace list`.',
  },
  ERR_WORKSPACE_EXISTS: {
    meaning: 'A workspace of this name exists already.',
    hint: 'Choose another name, or remove the old one first.',
  },
  ERR_AGENT_OFFLINE: {
    meaning: 'The agent of this workspace is not connected to the broker.',
    hint: 'Start the agent in the workspace, or wait until it is back.',
  },
  ERR_TICKET: {
    meaning: 'A connection ticket is malformed, expired, used before, or for something else.',
    hint: 'Connect again; if it persists, check the clocks of both machines.',
  },
  ERR_PEER_AUTH: {
    meaning: 'The other end could not prove who it is.',
    hint: 'Somebody may be in between. If the agent was reinstalled, remove its old key first.',
  },
  ERR_PEER_TIMEOUT: {
    meaning: 'The other end did not answer in time.',
    hint: 'Check the network, and that the agent is running; then try again.',
  },
  ERR_PEER_LOST: {
    meaning: 'The connection to the other end was lost.',
    hint: 'Connect again; terminals go on meanwhile.',
  },
  ERR_PEER_LIMIT: {
    meaning: 'There are too many connections, or too many channels on this one.',
    hint: 'Close some, or wait until others end.',
  },
  ERR_PROTOCOL: {
    meaning: 'The other end sent something that the protocol does not allow.',
    hint: 'Use matching versions of client, broker and agent.',
  },
  ERR_PROTOCOL_VERSION: {
    meaning: 'The two ends speak different versions of the protocol.',
    hint: 'Update the older one.',
  },
  ERR_MESSAGE_TOO_LARGE: {
    meaning: 'A message is larger than the protocol allows.',
    hint: 'Send it in smaller parts.',
  },
  ERR_UNKNOWN_PROTOCOL: {
    meaning: 'The channel names a protocol that the agent does not serve.',
    hint: 'Use ssh, terminal or reconnecting-pty.',
  },
  ERR_CHANNEL_LABEL: {
    meaning: 'The label of the channel is malformed.',
    hint: 'A terminal label reads <id>:<rows>:<columns>, each a plain decimal number in its limits.',
  },
  ERR_CHANNEL_CLOSED: {
    meaning: 'The channel is closed.',
    hint: 'Open a new one.',
  },
  ERR_INPUT_OVERRUN: {
    meaning: 'More input is waiting than the terminal or channel may hold.',
    hint: 'Send more slowly, or wait until the program reads its input.',
  },
  ERR_FRAME: {
    meaning: 'A terminal frame is malformed.',
    hint: 'See docs/protocol.md for the layout of every frame.',
  },
  ERR_TERMINAL_NOT_FOUND: {
    meaning: 'There is no terminal of this name.',
    hint: 'List them with `holdfast terminals WORKSPACE`.',
  },
  ERR_TERMINAL_LIMIT: {
    meaning: 'No more terminals can be opened.',
    hint: 'End some with `holdfast kill`, or raise the limit in the configuration of the agent.',
  },
  ERR_TERMINAL_QUOTA: {
    meaning: 'You have as many terminals as one person may.',
    hint: 'End some with `holdfast kill`, or have --max-terminals-per-subject of the agent raised.',
  },
  ERR_WAIT_TIMEOUT: {
    meaning: 'Nothing ended in the time that was to be waited for.',
    hint: 'Wait longer. Commands are noticed only in a shell that marks them: see docs/shell-integration.md.',
  },
  ERR_SHELL_INTEGRATION: {
    meaning: 'The shell in the terminal does not say where its commands end.',
    hint: 'Run `eval "$(holdfast shell-integration bash)"` in it, or zsh; see docs/shell-integration.md.',
  },
  ERR_TERMINAL_ENDED: {
    meaning: 'The terminal ended before a command in it did.',
    hint: 'See how with `holdfast terminals WORKSPACE`.',
  },
  ERR_READ_ONLY: {
    meaning: 'This viewer may watch but not type.',
    hint: 'Ask the owner for a link that allows typing.',
  },
  ERR_SHARE_REVOKED: {
    meaning: 'The share link was revoked.',
    hint: 'Ask whoever gave it to you for a new one.',
  },
  ERR_SHARE_EXPIRED: {
    meaning: 'The share link has expired.',
    hint: 'Ask whoever gave it to you for a new one.',
  },
  ERR_SHARE_FULL: {
    meaning: 'As many are connected through this share link as it allows.',
    hint: 'Wait until somebody leaves, or ask for a link that allows more.',
  },
  ERR_SHARE_MISMATCH: {
    meaning: 'The share link is not for the workspace or terminal that it names.',
    hint: 'Use the link exactly as it was given to you.',
  },
  ERR_NOT_DRIVER: {
    meaning: 'Somebody else has the control of this terminal, so this was not typed.',
    hint: 'Ask for control, or wait until it is handed over or released.',
  },
  ERR_VIEWER_NOT_FOUND: {
    meaning: 'The terminal has no viewer of this number or name.',
    hint: 'List them with `holdfast terminals WORKSPACE --viewers`.',
  },
  ERR_VIEWER_DROPPED: {
    meaning: 'The owner of the workspace ended this viewing.',
    hint: 'Ask the owner before you attach again.',
  },
  ERR_SHELL_NOT_FOUND: {
    meaning: 'The shell does not exist or cannot be executed.',
    hint: 'Set the shell of the user, or SHELL, to a program that exists.',
  },
  ERR_DIRECTORY_NOT_FOUND: {
    meaning: 'The working directory does not exist or cannot be entered.',
    hint: 'Create it, or correct `directory` in the metadata of the workspace.',
  },
  ERR_SPAWN: {
    meaning: 'The system could not start the process.',
    hint: 'Check the limits on processes, memory and open files.',
  },
  ERR_WORKER_LOST: {
    meaning: 'The worker thread that served this ended unexpectedly.',
    hint: 'Attach again; the shell itself may still be running.',
  },
  ERR_DEGRADED: {
    meaning: 'Worker threads keep dying, so nothing new is started.',
    hint: 'Look at the log of the agent; restart it when the cause is gone.',
  },
  ERR_METADATA: {
    meaning: 'The metadata of the workspace is missing or malformed.',
    hint: 'Correct the workspace at the broker.',
  },
  ERR_FORWARD_DENIED: {
    meaning: 'Forwarding to or from this address is not allowed.',
    hint: 'Ask the owner to allow the address.',
  },
  ERR_FORWARD_FAILED: {
    meaning: 'The address to forward cannot be listened on or reached.',
    hint: 'Check that the port is free on the listening side and served on the other.',
  },
  ERR_GIT_KEY: {
    meaning: 'The workspace has no Git key, or it cannot be used.',
    hint: 'Set one with `holdfast workspace add --git-key FILE`, and give its public half to the Git host.',
  },
  ERR_RECORDING_NOT_FOUND: {
    meaning: 'There is no recording of this name.',
    hint: 'List them with `holdfast recordings WORKSPACE`.',
  },
  ERR_RECORDING_EXISTS: {
    meaning: 'The terminal is being recorded already, or a recording of this name exists.',
    hint: 'Stop that recording first, or choose another name.',
  },
  ERR_RECORDING_QUOTA: {
    meaning: 'The recordings of this workspace take all the space they may have.',
    hint: 'Delete some with `holdfast recordings WORKSPACE delete NAME`, or raise `recordingQuota`.',
  },
  ERR_RECORDING_FORMAT: {
    meaning: 'The file is no recording that can be played.',
    hint: 'Play asciicast files of version 2 or 3.',
  },
  ERR_ENGINE_UNAVAILABLE: {
    meaning: 'The native WebRTC engine was asked for and cannot be loaded.',
    hint: 'Run `npm install node-datachannel` where Holdfast is installed, or use --webrtc auto.',
  },
  ERR_UNSUPPORTED: {
    meaning: 'This platform or build does not support the operation.',
    hint: 'See README.md for what is proven where.',
  },
  ERR_CLOSED: {
    meaning: 'The operation was given up because its owner is closing.',
    hint: 'Start it again.',
  },
  ERR_INTERNAL: {
    meaning: 'A defect in Holdfast.',
    hint: 'Please report it with the log of the agent.',
  },
} as const satisfies Record<string, ErrorMeaning>;

/** The closed set of codes. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** The plain form of an error: what crosses threads and wires. Never holds a secret. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface HoldfastErrorOptions {
  /** What led to it; logged, never sent to a peer. */
  readonly cause?: unknown;
  /** Overrides the table's hint where a better one is known. */
  readonly hint?: string;
}

/** The one error class of Holdfast. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: HoldfastErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? ERROR_CODES[code].hint;
  }
}

/** Whether `value` is one of the codes of {@link ERROR_CODES}. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}

/**
 * The record of any thrown value. A foreign error becomes `ERR_INTERNAL` with its message, since a
 * message without a code helps nobody on the other side of a thread.
 */
export function toErrorRecord(error: unknown): ErrorRecord {
  if (error instanceof HoldfastError) return { code: error.code, message: error.message };
  if (error instanceof Error) return { code: 'ERR_INTERNAL', message: error.message };
  return { code: 'ERR_INTERNAL', message: String(error) };
}

/** The error of a record that came over a thread or wire. An unknown code becomes `ERR_PROTOCOL`. */
export function fromErrorRecord(record: { code: string; message: string }): HoldfastError {
  return isErrorCode(record.code)
    ? new HoldfastError(record.code, record.message)
    : new HoldfastError('ERR_PROTOCOL', `${record.code}: ${record.message}`);
}

/** `error` itself if it has a code already, else wrapped with `code` and the step that failed. */
export function wrapError(error: unknown, code: ErrorCode, step: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HoldfastError(code, `${step}: ${message}`, { cause: error });
}
