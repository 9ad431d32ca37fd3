import { createRequire } from 'node:module';

/**
 * The binding below node-pty's `UnixTerminal`. That class loses the tail of the output at exit and
 * destroys its stream 200 ms after it even while paused (node-pty #72, #85, #726), so only the raw
 * calls are used. `native` is exported but "not public API", so the version is pinned exactly.
 */
interface PtyBinding {
  fork(
    file: string,
    args: string[],
    env: string[],
    cwd: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helperPath: string,
    onExit: (status: number, signal: number) => void,
  ): { fd: number; pid: number; pty: string };
  /** Neither descriptor blocks; both are the caller's. */
  open(cols: number, rows: number): { master: number; slave: number; pty: string };
  resize(fd: number, cols: number, rows: number): void;
}

let loaded: PtyBinding | undefined;

/** The binding of this thread; it is N-API, so every thread may load its own. */
export function ptyBinding(): PtyBinding {
  loaded ??= (createRequire(import.meta.url)('node-pty') as { native: PtyBinding }).native;
  return loaded;
}
