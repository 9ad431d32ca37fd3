import { deferred } from '../../common/index.js';
import type { ExitStatus } from '../../common/wire/index.js';
import { setCloseOnExec, signalName } from '../system/index.js';
import { ptyBinding } from './native.js';
import type { PtyOptions, StartedPty } from './types.js';

/** It replaces itself, so pid, exit status and signals are those of the program. */
const LAUNCHER = (variable: string): string =>
  `${variable}=$(tty) && export ${variable}; exec "$0" "$@"`;

/**
 * As node-pty does it, where `startPty` has no better way. The name of the terminal is only known after the fork,
 * so the child finds it out by itself. A missing `file` or `cwd` is text on the PTY and status 1.
 */
export function forkPty({
  file,
  args,
  env,
  cwd,
  size,
  ttyVariable,
  prepare,
}: PtyOptions): StartedPty {
  const words = [file, ...args];
  const [program = file, ...rest] =
    ttyVariable === undefined ? words : ['/bin/sh', '-c', LAUNCHER(ttyVariable), ...words];
  const exited = deferred<ExitStatus>();
  const { fd, pid, pty } = ptyBinding().fork(
    program,
    rest,
    Object.entries(env).map(([name, value]) => `${name}=${value}`),
    cwd,
    size.cols,
    size.rows,
    -1,
    -1,
    // IUTF8.
    true,
    '',
    (status, signal) => {
      exited.resolve(
        signal > 0 ? { kind: 'signal', signal: signalName(signal) } : { kind: 'status', status },
      );
    },
  );
  setCloseOnExec(fd);
  prepare?.(pty);
  return { masterFd: fd, pid, slavePath: pty, exited: exited.promise };
}
