import type { ExitStatus, TerminalSize } from '../../common/wire/index.js';

export interface PtyOptions {
  /** Absolute. */
  readonly file: string;
  /** After the program's own name. */
  readonly args: readonly string[];
  /** Exactly what the child gets, but for `ttyVariable`. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly size: TerminalSize;
  /** The variable that tells the child the path of its terminal. Absent: none does. */
  readonly ttyVariable?: string | undefined;
  /** Gets the path of the terminal before the program has it, or in `forkPty` as soon as may be. */
  readonly prepare?: ((slavePath: string) => void) | undefined;
}

/** A program on a PTY. The caller owns `masterFd`, which does not block; closing its last duplicate hangs up. */
export interface StartedPty {
  readonly masterFd: number;
  readonly pid: number;
  readonly slavePath: string;
  /** Never rejects. */
  readonly exited: Promise<ExitStatus>;
}
