import type { Readable, Writable } from 'node:stream';
import type { ClientChannel, ExecOptions, PseudoTtyOptions } from 'ssh2';
import { HoldfastError } from '../../../shared/common/index.js';
import type { ExitStatus, TerminalSize } from '../../../shared/common/wire/index.js';
import type { SshConnection } from './connect.js';
import { TransportGate } from './transport-gate.js';

export interface SshSessionOptions {
  /** Absent: a login shell. */
  readonly command?: string | undefined;
  /** A subsystem instead of a command, such as `sftp`. */
  readonly subsystem?: boolean;
  /** Absent: no terminal, output and errors stay apart. */
  readonly pty?: { readonly term: string; readonly size: TerminalSize } | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly forwardAgent?: boolean;
  /** Where input comes from; its end is passed on. Absent: there is none. */
  readonly stdin?: Readable | undefined;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** A shell or command on the other side. */
export interface SshSession {
  /**
   * Resolves when it has ended and all its output is written. `unknown`: the connection went away
   * before a status came. Never rejects.
   */
  readonly exited: Promise<ExitStatus>;
  resize(size: TerminalSize): void;
}

/**
 * Starts a shell or a command. Streams are connected at once, with back-pressure in every direction;
 * `stdout` and `stderr` are left open at the end.
 * @throws {HoldfastError} ERR_FORBIDDEN if the server refuses it, ERR_PEER_LOST.
 */
export async function startSession(
  connection: SshConnection,
  options: SshSessionOptions,
): Promise<SshSession> {
  const channel = await openChannel(connection, options);
  const exit = watchExit(channel);
  channel.pipe(options.stdout, { end: false });
  channel.stderr.pipe(options.stderr, { end: false });
  const { stdin } = options;
  if (stdin === undefined) channel.end();
  else stdin.pipe(new TransportGate(connection.transport)).pipe(channel);
  // Input that fails to arrive is no event of its own: the exit says how it went.
  channel.on('error', () => undefined);
  return {
    exited: exit.then(async (status) => {
      stdin?.unpipe();
      await Promise.all([flushed(options.stdout), flushed(options.stderr)]);
      return status;
    }),
    resize: ({ rows, cols }) => {
      channel.setWindow(rows, cols, 0, 0);
    },
  };
}

function openChannel(
  { client, transport }: SshConnection,
  { command, subsystem, pty, env, forwardAgent }: SshSessionOptions,
): Promise<ClientChannel> {
  const terminal: PseudoTtyOptions | undefined =
    pty === undefined
      ? undefined
      : { term: pty.term, rows: pty.size.rows, cols: pty.size.cols, width: 0, height: 0 };
  const common: ExecOptions = {
    env: { ...env },
    ...(forwardAgent === true ? { agentForward: true } : {}),
  };
  return new Promise((resolve, reject) => {
    const done = (error: Error | undefined, channel: ClientChannel): void => {
      if (error === undefined) {
        resolve(channel);
        return;
      }
      // ssh2 refuses in the server's name what was under way when the connection ended.
      if (transport.destroyed || transport.readableEnded) {
        reject(new HoldfastError('ERR_PEER_LOST', 'the SSH connection ended', { cause: error }));
        return;
      }
      const what = command === undefined ? 'a shell' : 'this command';
      reject(
        new HoldfastError('ERR_FORBIDDEN', `the agent refused ${what}: ${error.message}`, {
          cause: error,
        }),
      );
    };
    try {
      if (command === undefined) client.shell(terminal ?? false, common, done);
      else if (subsystem === true) client.subsys(command, done);
      else
        client.exec(command, terminal === undefined ? common : { ...common, pty: terminal }, done);
    } catch (error) {
      // ssh2 throws synchronously once the connection is gone.
      reject(new HoldfastError('ERR_PEER_LOST', 'the SSH connection ended', { cause: error }));
    }
  });
}

/** Resolves after the last byte of both outputs was read and the channel has closed. */
async function watchExit(channel: ClientChannel): Promise<ExitStatus> {
  let status: ExitStatus = { kind: 'unknown' };
  channel.on('exit', (code: number | null, signal?: string) => {
    if (code !== null) status = { kind: 'status', status: code };
    else if (signal !== undefined) status = { kind: 'signal', signal: signal.replace(/^SIG/, '') };
  });
  // ssh2 emits each of the two after the `end` of its own stream only.
  await Promise.all([closed(channel), closed(channel.stderr)]);
  return status;
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    stream.once('close', resolve);
  });
}

/** Until what was written to `stream` has left this process. A broken stream counts as flushed. */
function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}
