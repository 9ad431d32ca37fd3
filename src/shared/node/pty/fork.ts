import { wrapError } from '../../common/index.js';
import type { ExitStatus, TerminalSize } from '../../common/wire/index.js';
import { sealInheritedDescriptors, setCloseOnExec, signalName } from '../system/index.js';
import { ptyBinding } from './native.js';

export interface ForkOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** Exactly what the child gets. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly size: TerminalSize;
}

/** A forked PTY. The caller owns `masterFd` and closes it; closing the last duplicate hangs up. */
export interface ForkedPty {
  readonly masterFd: number;
  readonly pid: number;
  readonly slavePath: string;
}

/**
 * Starts `file` on a new PTY as session and group leader. Main thread only: a thread that forked cannot
 * be terminated any more (node-pty #904), and the race that close-on-exec closes needs all forks in one
 * thread. A missing `file` or `cwd` is not an error here, but text on the PTY and status 1: check first.
 * @param onExit is called once, on this thread, in a later turn.
 * @throws {HoldfastError} ERR_SPAWN when the system is out of processes or PTYs.
 */
export function forkPty(options: ForkOptions, onExit: (exit: ExitStatus) => void): ForkedPty {
  const { size } = options;
  sealInheritedDescriptors();
  const env = Object.entries(options.env).map(([name, value]) => `${name}=${value}`);
  try {
    const { fd, pid, pty } = ptyBinding().fork(
      options.file,
      [...options.args],
      env,
      options.cwd,
      size.cols,
      size.rows,
      -1,
      -1,
      // IUTF8, so that erase in canonical mode removes whole characters.
      true,
      '',
      (status, signal) => {
        onExit(
          signal > 0 ? { kind: 'signal', signal: signalName(signal) } : { kind: 'status', status },
        );
      },
    );
    setCloseOnExec(fd);
    return { masterFd: fd, pid, slavePath: pty };
  } catch (error) {
    throw wrapError(error, 'ERR_SPAWN', 'fork a terminal');
  }
}

/** Sets the size of the PTY behind any duplicate of its master; the kernel sends SIGWINCH. */
export function resizePty(fd: number, { rows, cols }: TerminalSize): void {
  ptyBinding().resize(fd, cols, rows);
}
