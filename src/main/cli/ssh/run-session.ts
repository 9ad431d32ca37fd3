import { PassThrough } from 'node:stream';
import type { ExitStatus } from '../../../shared/common/wire/index.js';
import { startSession, type SshConnection } from '../../client/ssh-client/index.js';
import { DetachKeys } from '../attach/index.js';
import { enterRawMode, sizeOf } from '../raw-terminal.js';

export interface RunSessionOptions {
  readonly command: string | undefined;
  /** `auto`: for a shell, if standard input is a terminal. */
  readonly terminal: 'auto' | 'always' | 'never';
  readonly readStdin: boolean;
  readonly forwardAgent: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Variables that OpenSSH as Debian ships it sends along. */
const SENT = /^(LANG|LC_[A-Z]+)$/;

/**
 * Runs a shell or command with the standard streams of this process.
 * @returns How it ended; `unknown` if the connection went away, or the person left with `~.`.
 */
export async function runSession(
  connection: SshConnection,
  { command, terminal, readStdin, forwardAgent, env }: RunSessionOptions,
): Promise<ExitStatus> {
  const { stdin, stdout, stderr } = process;
  const wantsTerminal =
    terminal === 'always' || (terminal === 'auto' && command === undefined && stdin.isTTY);
  const typed = wantsTerminal && stdin.isTTY && readStdin ? new PassThrough() : undefined;
  const session = await startSession(connection, {
    command,
    pty: wantsTerminal
      ? { term: env['TERM'] ?? 'xterm-256color', size: sizeOf(stdout) }
      : undefined,
    env: sentEnvironment(env),
    forwardAgent,
    stdin: typed ?? (readStdin ? stdin : undefined),
    stdout,
    stderr,
  });
  if (!wantsTerminal) return await session.exited;

  const onResize = (): void => {
    session.resize(sizeOf(stdout));
  };
  stdout.on('resize', onResize);
  try {
    if (typed === undefined) return await session.exited;
    return await withKeyboard(typed, session.exited);
  } finally {
    stdout.off('resize', onResize);
  }
}

/** Raw mode while the session lasts, and the one escape that ssh users count on. */
async function withKeyboard(typed: PassThrough, exited: Promise<ExitStatus>): Promise<ExitStatus> {
  const { stdin, stderr } = process;
  const keys = new DetachKeys({ quitTwice: false });
  const mode = enterRawMode(stdin);
  let leave: ((status: ExitStatus) => void) | undefined;
  const left = new Promise<ExitStatus>((resolve) => {
    leave = resolve;
  });
  const onData = (chunk: Buffer): void => {
    const { bytes, detach } = keys.push(chunk);
    if (bytes.length > 0 && !typed.write(bytes)) stdin.pause();
    if (detach) leave?.({ kind: 'unknown' });
  };
  const onDrain = (): void => {
    stdin.resume();
  };
  const onEnd = (): void => {
    typed.end();
  };
  typed.on('drain', onDrain);
  stdin.on('data', onData);
  stdin.on('end', onEnd);
  try {
    return await Promise.race([exited, left]);
  } finally {
    stdin.off('data', onData);
    stdin.off('end', onEnd);
    stdin.pause();
    mode.restore();
    // The remote side may have left the cursor in the middle of a line.
    if (stderr.isTTY) stderr.write('\r');
  }
}

function sentEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && SENT.test(name)) sent[name] = value;
  }
  return sent;
}
