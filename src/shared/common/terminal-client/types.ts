import type { Backoff } from '../backoff.js';
import type { ByteChannel } from '../byte-channel.js';
import type { Clock } from '../clock.js';
import type { ErrorRecord } from '../errors.js';
import type { Epoch, TerminalId } from '../ids.js';
import type {
  ExitStatus,
  Presence,
  TerminalSettings,
  TerminalSize,
  ViewerEventAt,
} from '../wire/index.js';

/** Where the bytes of one `output` call stand in the log of the terminal. */
export interface OutputInfo {
  /** Log position of the first byte. */
  readonly offset: number;
  /** Older than the attach. */
  readonly replay: boolean;
  /** An emulator must not answer queries in it: another viewer, or the agent, does or did. */
  readonly quiet: boolean;
}

/** What the bytes of one `snapshot` call are. */
export interface SnapshotInfo {
  /** Log position of the screen that they show. */
  readonly offset: number;
  readonly size: TerminalSize;
  /** More of the snapshot that the call before began: the emulator is not made fresh again. */
  readonly continues: boolean;
}

/** What a person wants to know about the link to the terminal. */
export type TerminalClientState =
  /** Before the first attach has succeeded. */
  | { readonly type: 'connecting' }
  /** `created`: this attach started the terminal. */
  | { readonly type: 'attached'; readonly mayType: boolean; readonly created: boolean }
  /** The channel is gone; the next attempt begins `delayMs` after this call. */
  | { readonly type: 'reconnecting'; readonly delayMs: number; readonly error: ErrorRecord }
  /** The program has ended; all of its output was delivered. Final. */
  | { readonly type: 'exited'; readonly exit: ExitStatus }
  /** Trying again would fail the same way. Final. */
  | { readonly type: 'failed'; readonly error: ErrorRecord }
  /** `close` was called. Final. */
  | { readonly type: 'closed' };

/**
 * Who is told. Calls come in the order of the log: a `size` between two `output` calls took effect
 * between their bytes. All but `output` and `state` may be left out.
 */
export interface TerminalClientHandlers {
  /** Log bytes, each exactly once. The handler owns them and later calls `processed` for them. */
  output(bytes: Uint8Array, info: OutputInfo): void;
  state(state: TerminalClientState): void;
  /** The id has a new log (its program was started anew): what is on the screen belongs to the old one. */
  restarted?(): void;
  /** Log bytes `from` to `to` will never come. */
  gap?(from: number, to: number): void;
  /**
   * The whole screen at log position `offset`, as bytes for a fresh emulator of `size`. Count as output
   * for `processed`. Absent: they are given to `output` as replay.
   */
  snapshot?(bytes: Uint8Array, at: SnapshotInfo): void;
  size?(size: TerminalSize): void;
  /** As the program set it: untrusted text. */
  title?(title: string): void;
  /** Who is attached, who decides the size and who has the control, after each change. */
  presence?(presence: Presence): void;
  /** Something happened, in the shell or among the viewers. Not `refused`: `error` tells it. */
  event?(event: ViewerEventAt): void;
  /** A new measurement of the round trip to the terminal's worker and back, in ms. */
  latency?(ms: number): void;
  exit?(exit: ExitStatus, totalBytes: number): void;
  /** `inputRoom` has grown. */
  inputRoom?(): void;
  /** Something was refused or lost, and the link goes on; a person should see it. */
  error?(error: ErrorRecord): void;
}

export interface TerminalClientOptions {
  /**
   * Opens a channel of protocol `terminal` with this label. May wait for a connection to come back.
   * A rejection with a code that cannot go away by itself ends the client, any other is tried again.
   */
  readonly openChannel: (label: string) => ByteChannel | Promise<ByteChannel>;
  readonly id: TerminalId;
  /** The log to attach to at first, also if its terminal has exited. Absent: whichever the id has. */
  readonly epoch?: Epoch | undefined;
  readonly size: TerminalSize;
  /** Wants to type, resize and configure; what it may is in the `attached` state. */
  readonly wantsType: boolean;
  /** 16 random bytes, one set per client and never used by another: input is counted by it. */
  readonly clientId: Uint8Array;
  readonly handlers: TerminalClientHandlers;
  /** Output taken beyond what was processed, in bytes. Default {@link TERMINAL_WINDOW_BYTES}. */
  readonly window?: number;
  readonly clock?: Clock;
  /** Waits between attempts. Default: {@link DIAL_MIN_MS} to {@link DIAL_MAX_MS}. */
  readonly backoff?: Backoff;
  /** Asked for with the first attach only, so that a re-attach does not undo what others set since. */
  readonly settings?: TerminalSettings;
}
