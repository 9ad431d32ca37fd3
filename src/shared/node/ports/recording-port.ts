import type { MessagePort } from 'node:worker_threads';
import type { LogRecord } from '../../common/index.js';
import type { FaultKind } from './terminal-port.js';
import type { ExitStatus, RecordingEndReason, TerminalSize } from '../../common/wire/index.js';

/**
 * What a recording worker needs to write one recording: the argument of its piscina task, which stays
 * pending until the file is complete.
 */
export interface RecordingTask {
  /** Only this recording's messages, both ways. */
  readonly port: MessagePort;
  /** Absolute; the folder was checked. */
  readonly folder: string;
  readonly name: string;
  readonly terminal: string;
  readonly epoch: string;
  readonly title: string;
  readonly termType: string;
  /** Of the terminal when the recording was asked for, as where its log ended then. */
  readonly size: TerminalSize;
  readonly head: number;
  readonly input: boolean;
  /** A worker had it before and died; its files may be there. */
  readonly isResumed: boolean;
  /** What this file and its index may take, in bytes. */
  readonly maxBytes: number;
  /** Bytes that all recordings may still take: see `RecordingRoom`. */
  readonly room: SharedArrayBuffer;
  /** Counters that outlive the worker: see `RecordingStatus`. */
  readonly status: SharedArrayBuffer;
}

/** Main to recording worker. */
export type RecordingCommand =
  /** The next worker of the terminal sends over this port. It is read when the one before has ended. */
  | { readonly type: 'feed'; readonly port: MessagePort }
  /** End it: what the terminal has said up to now is still written. */
  | {
      readonly type: 'stop';
      readonly reason: RecordingEndReason;
      /** Where the log of the terminal ended. Absent: it goes on. */
      readonly total?: number | undefined;
    }
  /** Test door; ignored unless the agent was started with it. */
  | { readonly type: 'fault'; readonly kind: FaultKind };

/** Recording worker to main. */
export type RecordingEvent =
  /** The terminal is heard: the file has its first line. */
  | { readonly type: 'begun' }
  /** The file is complete. Last message. */
  | { readonly type: 'ended'; readonly reason: RecordingEndReason }
  | { readonly type: 'log'; readonly record: LogRecord };

/** Terminal worker to recording worker. `at` is the system's monotonic clock in ms, the same everywhere. */
export type FeedMessage =
  /** First message: where output begins, the size there, and the number of the next change of it. */
  | {
      readonly type: 'begin';
      readonly at: number;
      readonly offset: number;
      readonly size: TerminalSize;
      readonly sizes: number;
    }
  /** Log bytes from `offset` on; the buffer is transferred. */
  | {
      readonly type: 'output';
      readonly at: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  /** Log bytes up to `to` are lost; they were more than could be written in time, or a worker died. */
  | { readonly type: 'gap'; readonly at: number; readonly to: number }
  /** Brings a fresh emulator of `size` to the screen where output goes on; after `begin` or `gap`. */
  | {
      readonly type: 'snapshot';
      readonly at: number;
      readonly size: TerminalSize;
      readonly sizes: number;
      readonly bytes: Uint8Array;
    }
  /** Change `number` of the size, at the log position that has been reached. */
  | {
      readonly type: 'size';
      readonly at: number;
      readonly number: number;
      readonly size: TerminalSize;
    }
  | { readonly type: 'input'; readonly at: number; readonly bytes: Uint8Array }
  /** After the last byte of output. Last message. */
  | { readonly type: 'exit'; readonly at: number; readonly exit: ExitStatus };

/** Recording worker to terminal worker. */
export type FeedAnswer =
  /** So many bytes of what was sent are in the file. */
  | { readonly type: 'written'; readonly bytes: number }
  /** Say what there is now, and close. */
  | { readonly type: 'finish' };

const WORDS = 8;
const UNIT_BYTES = 1_024;

/**
 * Where a recording has got to, in shared memory: a list shows it, and a worker that takes it up from a dead
 * one goes on at exactly this place. Only the worker that writes it stores into it.
 */
export class RecordingStatus {
  readonly shared: SharedArrayBuffer;
  readonly #words: Float64Array;

  /** Absent `shared`: a fresh one. */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(WORDS * 8)) {
    this.shared = shared;
    this.#words = new Float64Array(shared);
  }

  /** Length of the file up to the last complete line. 0: there is no header yet. */
  get bytes(): number {
    return this.#words[0] ?? 0;
  }
  /** Log position behind the last byte of output in the file. */
  get offset(): number {
    return this.#words[1] ?? 0;
  }
  /** Time of the last line, in ms from the beginning. */
  get at(): number {
    return this.#words[2] ?? 0;
  }
  /** Output that is not in the file, in bytes. */
  get missing(): number {
    return this.#words[3] ?? 0;
  }
  /** When it began, on the system's monotonic clock. */
  get startedAt(): number {
    return this.#words[4] ?? 0;
  }
  /** The last size in the file. */
  get size(): TerminalSize {
    return { rows: this.#words[5] ?? 0, cols: this.#words[6] ?? 0 };
  }

  /** Space taken from the room of all recordings, in bytes. */
  get reserved(): number {
    return this.#words[7] ?? 0;
  }
  set reserved(bytes: number) {
    this.#words[7] = bytes;
  }

  store(values: {
    readonly bytes: number;
    readonly offset: number;
    readonly at: number;
    readonly missing: number;
    readonly startedAt: number;
    readonly size: TerminalSize;
  }): void {
    const { bytes, offset, at, missing, startedAt, size } = values;
    this.#words.set([bytes, offset, at, missing, startedAt, size.rows, size.cols]);
  }
}

/** The space that all recordings share, counted in KiB so that an Int32 is enough. */
export class RecordingRoom {
  readonly shared: SharedArrayBuffer;
  readonly #left: Int32Array;

  /** Absent `shared`: a fresh one with nothing in it. */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.shared = shared;
    this.#left = new Int32Array(shared);
  }

  /** Bytes that may still be written, below 0 where files were there already. */
  get left(): number {
    return Atomics.load(this.#left, 0) * UNIT_BYTES;
  }

  /** Takes `bytes`, a multiple of 1 KiB, if there is as much. */
  take(bytes: number): boolean {
    const units = Math.ceil(bytes / UNIT_BYTES);
    if (Atomics.sub(this.#left, 0, units) >= units) return true;
    Atomics.add(this.#left, 0, units);
    return false;
  }

  give(bytes: number): void {
    Atomics.add(this.#left, 0, Math.floor(bytes / UNIT_BYTES));
  }
}

/** The system's monotonic clock in ms: unlike `performance.now()` the same in all threads of a process. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
