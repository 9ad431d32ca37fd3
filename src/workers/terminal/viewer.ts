import type { ErrorRecord, ViewerId } from '../../shared/common/index.js';
import type {
  ExitStatus,
  TerminalSettings,
  TerminalSize,
  ViewerControl,
} from '../../shared/common/wire/index.js';
import type { OutputLog } from './output-log.js';
import type { LogPoint } from './screen/index.js';
import type { ShellEventAt } from './shell/index.js';

/** Where a viewer begins, decided at the moment it is registered. */
export interface AttachPoint extends LogPoint {
  /** Bytes it asked for that are gone. Absent: none. */
  readonly gap?: { readonly from: number; readonly to: number } | undefined;
  /** Number of the first shell event it has not been told. */
  readonly events: number;
}

/**
 * One attached channel: a cursor into the log, and a credit. It has no queue of its own; what it has not
 * been sent is in the ring, or was lost to it and is told as a gap.
 */
export interface Viewer {
  readonly id: ViewerId;
  readonly subject: string;
  /** The same however often one client comes again. Absent: it does not say. */
  readonly client: string | undefined;
  /** It may type and wants to. Everybody else never types, resizes, configures or answers queries. */
  readonly mayType: boolean;
  /** What its ticket allows, whatever it chose; `view` sees less of who else is there. */
  readonly rights: 'view' | 'type';
  /** It may drop others, and take what others have claimed. */
  readonly isOwner: boolean;
  /** Its attach started the terminal, so nothing in the log is old to it. */
  readonly created: boolean;
  /** Attached at a cursor. Before that it gets nothing and counts for nothing. */
  readonly ready: boolean;
  /** Never loses a byte and always counts: the PTY of an SSH session. */
  readonly alwaysCounts: boolean;
  /** Absent: it has no size of its own (read-only, or not told yet). */
  readonly size: TerminalSize | undefined;
  /** The size of its window, for others to see. Absent: it told none. */
  readonly window: TerminalSize | undefined;
  /** Round trip as its client measured it, in ms. Absent: not told. */
  latencyMs: number | undefined;
  /** Next log byte to send. */
  readonly cursor: number;
  /** All before it has arrived. */
  readonly acked: number;
  /** When `acked` last moved, or when it last had nothing to acknowledge; clock time in ms. */
  readonly progressAt: number;
  /** Bytes it takes now; 0 or less: none. */
  readonly room: number;
  /** Number of the next size change to tell it, which the set counts on. Infinity: it is never told. */
  nextSize: number;
  /** Number of the next shell event to tell it, likewise. */
  nextEvent: number;
  /**
   * How long `unsent` bytes more would take to arrive, in ms. Absent: not known, or it is never skipped
   * ahead of what it lacks.
   */
  backlogMs(unsent: number): number | undefined;
  /** Sends log bytes `cursor` to `to`, all of which are in `log`. */
  sendOutput(log: OutputLog, to: number): void;
  /** The bytes from its cursor to `point` are gone; the cursor moves there. */
  sendGap(point: LogPoint): void;
  /** Sends what is left of a snapshot, as far as it takes it; until all is sent its `room` is 0. */
  sendRest(): void;
  sendSize(offset: number, size: TerminalSize): void;
  /** Of the frame that is `common` and its own number. False: it takes nothing now, and was not told. */
  sendPresence(common: Uint8Array): boolean;
  /** Left out for a viewer that takes nothing now: what waits for it must stay bounded. */
  sendEvent(json: string): void;
  /** What a shell or program said of itself. False: it takes nothing now, and was not told. */
  sendShell(at: ShellEventAt): boolean;
  /** Last word, after the last byte; closes the channel. */
  sendExit(exit: ExitStatus, totalBytes: number): void;
  /** Last word; closes the channel, and no longer listens. Absent error: a plain close. */
  end(error?: ErrorRecord): void;
}

/** What a viewer asks of a terminal that it shares with others. */
export interface ViewerSharing {
  /** Its window has this size: for others to see, and if it may type for the terminal to take. */
  resize(viewer: Viewer, size: TerminalSize): void;
  configure(viewer: Viewer, settings: TerminalSettings): void;
  request(viewer: Viewer, control: ViewerControl): void;
}

/** What a viewer asks of its terminal. */
export interface ViewerHost {
  now(): number;
  readonly head: number;
  readonly oldest: number;
  /** The oldest byte at which a plain replay can begin: no character and no sequence is cut. */
  readonly replayStart: number;
  /** Registers `viewer`: from this call on, no byte passes it by. */
  join(viewer: Viewer, from: number | undefined): AttachPoint;
  /** It is ready: called once, before it takes its first output. */
  arrived(viewer: Viewer): void;
  /** Whether `viewer` is the one to answer queries in the log from `offset` on, and up to where that is so. */
  answering(viewer: Viewer, offset: number): { readonly answers: boolean; readonly until: number };
  /**
   * `client` comes by a new channel: the viewers it has been, whose channels nobody has heard the end of, end here, and
   * what they typed and the kernel does not have is dropped, since the client sends it again. Returns how many bytes
   * of the first piece dropped the kernel has.
   */
  cameAgain(client: string): number;
  /** `done` is called when the kernel has the bytes, or when it is settled that they are not typed. */
  type(viewer: Viewer, bytes: Uint8Array, done: () => void): void;
  readonly sharing: ViewerSharing;
  /** It acknowledged something, or can take more. */
  progressed(viewer: Viewer): void;
  /** Its channel has ended; it is forgotten. */
  left(viewer: Viewer): void;
  /** A viewer broke the rules and was ended; for the log. */
  refused(viewer: Viewer, error: ErrorRecord): void;
}
