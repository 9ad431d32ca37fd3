import type { MessagePort } from 'node:worker_threads';
import type {
  ByteChannel,
  Closable,
  Epoch,
  OwnedBytes,
  TerminalId,
  ViewerId,
} from '../../../shared/common/index.js';
import type {
  ExitStatus,
  Presence,
  TerminalInfo,
  TerminalSize,
} from '../../../shared/common/wire/index.js';
import type {
  CreateRequest,
  CreateResult,
  WaitResult,
} from '../../../shared/common/peer-auth/index.js';
import type { RecordSpec } from '../../../shared/node/ports/index.js';
import type { PtyOptions } from '../../../shared/node/pty/index.js';
import type { IncomingChannel } from '../peers/types.js';

/**
 * What to run in a PTY. All of it was checked before: it only fails on system limits. Terminal modes of an SSH session
 * are set through `prepare`.
 */
export type PtyCommand = PtyOptions;

/** The channel of a session, and where its memory comes back from. */
export interface SessionChannel extends ByteChannel {
  /** Of a message that came over it nothing is used any more; see `takeFrame`. */
  giveBack(bytes: OwnedBytes): void;
}

/** A PTY of an SSH session: a terminal with one lossless subscriber that was there before the first read. */
export interface PtySession extends Closable {
  readonly pid: number;
  /**
   * Raw bytes both ways. Survives the death of the terminal's worker without a lost byte. Ends, in-band
   * and after the last byte of output, when `exited` resolves.
   */
  readonly channel: SessionChannel;
  /** Resolves after the last byte of output went onto `channel`. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  resize(size: TerminalSize): void;
  /** To the foreground process group, as the kernel would for a key. */
  signal(signal: NodeJS.Signals): void;
  /** A break on its line. False: it has ended, or has no such thing. */
  sendBreak(): boolean;
}

/** What a recording says of its terminal. */
export interface TerminalFacts {
  readonly epoch: Epoch;
  readonly title: string;
  /** `TERM` of what runs in it. */
  readonly termType: string;
  readonly size: TerminalSize;
  /** Output so far. */
  readonly bytes: number;
}

/** The agent's terminals. */
export interface Terminals extends Closable {
  /** Routes a `terminal` or `reconnecting-pty` channel: attaches it, creating the terminal if new. */
  attach(channel: IncomingChannel): void;
  /**
   * Starts a PTY for an SSH session of `subject`.
   * @throws {HoldfastError} ERR_SPAWN, ERR_TERMINAL_LIMIT, ERR_TERMINAL_QUOTA, ERR_DEGRADED.
   */
  openSession(command: PtyCommand, subject?: string): Promise<PtySession>;
  /**
   * Starts a terminal for `subject` unless one of this name runs.
   * @throws {HoldfastError} as an attach that starts one.
   */
  create(id: TerminalId, request: CreateRequest, subject: string): Promise<CreateResult>;
  list(): Promise<TerminalInfo[]>;
  /** To the foreground job, as the kernel would for a key. Does nothing if the terminal does not run. */
  signal(id: TerminalId, signal: NodeJS.Signals): void;
  /** A break on its line. False: it does not run, or has no such thing. */
  sendBreak(id: TerminalId): boolean;
  /**
   * Hangs up the terminal's processes, harder if they stay; with `signal` only sends that to them.
   * @throws {HoldfastError} ERR_TERMINAL_NOT_FOUND, ERR_INVALID_ARGUMENT for an unknown signal.
   */
  kill(id: TerminalId, signal?: string): Promise<void>;
  /** Life with nobody attached from now on, in ms; 0: for ever. @throws {HoldfastError} ERR_TERMINAL_NOT_FOUND. */
  setIdle(id: TerminalId, idleMs: number): Promise<void>;
  /**
   * Resolves when the next command in the terminal ends, or the terminal; `gone` gives up.
   * @throws {HoldfastError} ERR_TERMINAL_NOT_FOUND, ERR_SHELL_INTEGRATION, ERR_WAIT_TIMEOUT, ERR_CLOSED.
   */
  wait(id: TerminalId, timeoutMs: number | undefined, gone: AbortSignal): Promise<WaitResult>;
  /** @throws {HoldfastError} ERR_TERMINAL_NOT_FOUND. */
  facts(id: TerminalId): TerminalFacts;
  /**
   * Has all that happens in a terminal sent over `port`, which goes over to its worker. When that dies the
   * port closes; `onMoved` of the registry then says when to ask again. False: it has no worker just now,
   * and `port` stays the caller's.
   * @throws {HoldfastError} ERR_TERMINAL_NOT_FOUND.
   */
  feed(id: TerminalId, port: MessagePort, spec: RecordSpec): boolean;
  /**
   * Who is attached. Not `full`: as one who only watches may see it.
   * @throws {HoldfastError} ERR_TERMINAL_NOT_FOUND, ERR_WORKER_LOST.
   */
  viewers(id: TerminalId, full: boolean): Promise<Presence>;
  /** Ends a viewer for good. @throws {HoldfastError} ERR_VIEWER_NOT_FOUND, and as {@link viewers}. */
  dropViewer(id: TerminalId, viewer: ViewerId, by: string): Promise<void>;
}
