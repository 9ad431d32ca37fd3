import type { MessagePort } from 'node:worker_threads';
import type { Epoch, ErrorRecord, LogRecord, TerminalId, ViewerId } from '../../common/index.js';
import type {
  ExitStatus,
  Pace,
  Presence,
  SizePolicy,
  TerminalSize,
  ViewerEvent,
} from '../../common/wire/index.js';
import type { PortHandle } from './port-channel.js';

/** Logged with both numbers on a mismatch, which means that a stale worker file was loaded. */
export const TERMINAL_PORT_VERSION = 1;

/**
 * What a terminal worker needs to serve one terminal: the argument of its piscina task. The task stays
 * pending as long as this worker serves the terminal; its result carries nothing, since it can overtake
 * messages on `port`.
 */
export interface TerminalTask {
  readonly version: number;
  /** Must equal the one in `status`; else another worker has the terminal by now. */
  readonly generation: number;
  /** Only this terminal's messages, both ways. */
  readonly port: MessagePort;
  readonly id: TerminalId;
  readonly epoch: Epoch;
  /** A duplicate of the master, the worker's own: its stream closes it. Absent: the log is complete. */
  readonly readFd: number | undefined;
  /**
   * Another one, for input, sizes and the last bytes. Main closes it when the task has settled, or when it
   * has heard that the log is complete: the worker does not touch it after `exited`. -1 with a complete log.
   */
  readonly ioFd: number;
  readonly slavePath: string;
  readonly size: TerminalSize;
  readonly pace: Pace;
  readonly sizePolicy: SizePolicy;
  /** The size at the beginning of its log. */
  readonly firstSize: TerminalSize;
  /** What is kept for replay, in bytes. */
  readonly ringBytes: number;
  /** Viewers may come that have nothing yet; else its screen need not be known. */
  readonly replays: boolean;
  /** Where the screen is kept that a replay begins with, by slot: see `checkpoint`. */
  readonly checkpoints: readonly (SharedArrayBuffer | undefined)[];
  /** Counters that outlive the worker: see `TerminalStatus`. */
  readonly status: SharedArrayBuffer;
  /** What the PTY is read into: see `ReadSlab`. */
  readonly slab: SharedArrayBuffer;
  /** Ring blocks of a worker that died, in no order. Empty for a new terminal. */
  readonly blocks: readonly SharedArrayBuffer[];
  /** Bytes that the rings of all terminals may still grow by: one Int32. */
  readonly growthBudget: SharedArrayBuffer;
  /** A viewer is about to attach: until then nothing may leave the ring. */
  readonly awaitsViewer: boolean;
  /** The process has ended already. */
  readonly exit?: ExitStatus | undefined;
  /** What the last worker has told of the shell; see `shell`. */
  readonly shell: ShellState;
}

/** A command that runs in a terminal. */
export interface ShellCommand {
  /** What the shell that runs it calls itself; empty if it does not. */
  readonly shell: string;
  /** Absent: the shell does not say. */
  readonly command: string | undefined;
}

/** What is known of a terminal from what its programs say. All text is cleaned and untrue if they like. */
export interface ShellState {
  readonly title: string;
  /** Absent: not said. */
  readonly cwd: string | undefined;
  /** A shell has marked its prompt or a command. */
  readonly marks: boolean;
  /** Of the last command that ended. Absent: none did, or its shell did not say. */
  readonly lastStatus: number | undefined;
  /** Outermost first: a shell may run within another. */
  readonly running: readonly ShellCommand[];
}

/** Before anything was said. */
export const UNKNOWN_SHELL: ShellState = {
  title: '',
  cwd: undefined,
  marks: false,
  lastStatus: undefined,
  running: [],
};

/** A command that has ended, as far as its shell has said. */
export type CommandEnd = Omit<Extract<ViewerEvent, { type: 'command-end' }>, 'type'>;

/** How a channel speaks. `raw` is the PTY of an SSH session: plain bytes, lossless, always counting. */
export type ViewerProtocol = 'terminal' | 'reconnecting-pty' | 'raw';

export interface ViewerSpec {
  readonly viewer: ViewerId;
  readonly protocol: ViewerProtocol;
  /** Name for presence. */
  readonly subject: string;
  readonly mayType: boolean;
  /** May drop viewers, and take size and control from whoever has them. */
  readonly isOwner: boolean;
  /** This attach started the terminal. */
  readonly created: boolean;
  readonly size: TerminalSize;
  /** `raw` only: the first byte it lacks. */
  readonly offset?: number | undefined;
  /** The first message of the channel, which the worker of an exited terminal has received already. */
  readonly first?: Uint8Array | undefined;
}

/** How a terminal is recorded. */
export interface RecordSpec {
  readonly input: boolean;
  /** The first byte that the recording lacks. Absent: it begins here, with what the ring has. */
  readonly from?: number | undefined;
}

/** Main to terminal worker. */
export type TerminalCommand =
  /** The port in `handle` is transferred along. */
  | { readonly type: 'attach'; readonly spec: ViewerSpec; readonly handle: PortHandle }
  /** Of an SSH session's window change. */
  | { readonly type: 'resize'; readonly size: TerminalSize }
  /** The process has been waited for. Output may still follow. */
  | { readonly type: 'processExited'; readonly exit: ExitStatus }
  /** Answered by `answered` with the same number, unless the worker dies first. */
  | { readonly type: 'ask'; readonly request: number; readonly question: TerminalQuestion }
  /**
   * Answer to `exited`. With `keep` the log stays, for viewers who want to see how it ended; whoever wants a
   * terminal to type in is returned. Without it, also later: no further attach will come.
   */
  | { readonly type: 'release'; readonly keep: boolean }
  /** Give up at once: viewers get `error`, nothing is drained. */
  | { readonly type: 'abandon'; readonly error: ErrorRecord }
  /** Sends all that happens from now on over the port in `feed`, until it closes. */
  | { readonly type: 'record'; readonly feed: MessagePort; readonly spec: RecordSpec }
  /** Test door; ignored unless the agent was started with it (see `FaultKind`). */
  | { readonly type: 'fault'; readonly kind: FaultKind };

/** What main asks a terminal worker about one terminal. */
export type TerminalQuestion =
  /** Who is attached. Not `full`: as one who only watches may see it. */
  | { readonly type: 'viewers'; readonly full: boolean }
  /** Ends a viewer for good. `by`: the subject of who wants it so. */
  | { readonly type: 'drop'; readonly viewer: ViewerId; readonly by: string };

export type TerminalAnswer =
  | { readonly type: 'viewers'; readonly presence: Presence }
  | { readonly type: 'done' }
  | { readonly type: 'refused'; readonly error: ErrorRecord };

/**
 * Ways to kill a worker on purpose, for tests of what outlives it: an error thrown in a timer, an endless
 * loop, `process.exit`, and heap exhaustion.
 */
export const DEATH_KINDS = ['throw', 'loop', 'exit', 'heap'] as const;
/** All that the test door does to a worker; `stall`: it stands still for a while, and lives on. */
export const FAULT_KINDS = [...DEATH_KINDS, 'stall'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Terminal worker to main. */
export type TerminalEvent =
  /** The worker reads the PTY from here on. */
  | { readonly type: 'adopted' }
  /** A new block of the ring, for main to keep in case this worker dies. */
  | { readonly type: 'block'; readonly block: SharedArrayBuffer }
  /** The ring let go of a block that it had grown by. */
  | { readonly type: 'blockFreed'; readonly index: number }
  /** What main keeps of the screen in case this worker dies, in one of two slots. Absent: no more. */
  | {
      readonly type: 'checkpoint';
      readonly slot: number;
      readonly shared: SharedArrayBuffer | undefined;
    }
  | { readonly type: 'attached'; readonly viewer: ViewerId }
  | { readonly type: 'detached'; readonly viewer: ViewerId }
  /** It does not want this exited terminal but a new one. The port in `handle` is transferred along. */
  | { readonly type: 'returned'; readonly spec: ViewerSpec; readonly handle: PortHandle }
  | { readonly type: 'resized'; readonly size: TerminalSize }
  /** News of what programs say of themselves, and the commands that ended since the last. */
  | {
      readonly type: 'shell';
      readonly state: ShellState;
      readonly ended: readonly CommandEnd[];
    }
  /** For the next worker, should this one die. */
  | { readonly type: 'configured'; readonly pace: Pace; readonly sizePolicy: SizePolicy }
  | { readonly type: 'answered'; readonly request: number; readonly answer: TerminalAnswer }
  /** The last byte of output is in the log, and the status is known. Main stops routing, then releases. */
  | { readonly type: 'exited'; readonly exit: ExitStatus; readonly totalBytes: number }
  /** Every viewer has had its end. Last message. */
  | { readonly type: 'finished' }
  /** This terminal hit a defect and was put down; another worker can go on with it. Last message. */
  | { readonly type: 'failed'; readonly error: ErrorRecord }
  | { readonly type: 'log'; readonly record: LogRecord };
