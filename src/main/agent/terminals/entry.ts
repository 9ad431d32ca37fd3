import type { Timer } from '../../../shared/common/index.js';
import type { TerminalSize } from '../../../shared/common/wire/index.js';
import type { LaunchRequest } from './options.js';
import type { TerminalHandle } from './terminal-handle.js';
import type { Waiters } from './waiters.js';

/** A terminal's place in the registry: taken before the start, so that two attaches get one PTY. */
export interface Entry {
  readonly handle: TerminalHandle;
  /** Attaches that wait for the start. Absent: it is done. */
  waiting: (() => void)[] | undefined;
  /** Why the start failed; those who waited for it are told the same. */
  failure: { readonly cause: unknown } | undefined;
  /** Subject that started it; its quota counts it. */
  readonly owner: string;
  readonly waiters: Waiters;
  /** What it runs instead of a shell, as one line. Absent: a shell. */
  program: string | undefined;
  idleMs: number;
  /** Somebody chose the idle time; an attach by another protocol does not lengthen it. */
  idleChosen: boolean;
  idleTimer: Timer | undefined;
  lastActiveAt: number;
}

/** How a terminal is to be started, if it is not there. */
export interface Start {
  readonly size: TerminalSize;
  readonly launch: LaunchRequest;
  /** This one reserved it, so it starts it. */
  readonly creator: boolean;
  /** And attaches then. */
  readonly attaches: boolean;
}
