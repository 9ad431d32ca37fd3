import { limits, type Clock } from '../../../shared/common/index.js';
import type { TerminalSize } from '../../../shared/common/wire/index.js';
import type { TerminalStatus } from '../../../shared/node/ports/index.js';
import { CheckpointStore } from './checkpoint.js';
import { EmulatorPool } from './emulator-pool.js';
import type { LogPoint } from './log-point.js';
import type { ReadableLog } from './readable-log.js';
import { ScreenTracker } from './screen-tracker.js';
import { SizeLog } from './size-log.js';

/** Of all terminals of this worker. */
const emulators = new EmulatorPool(limits.SCREEN_EMULATORS);

export interface TerminalScreenOptions {
  readonly log: ReadableLog;
  readonly status: TerminalStatus;
  readonly clock: Clock;
  /** Of the terminal at the beginning of its log. */
  readonly firstSize: TerminalSize;
  /** Viewers may come that have nothing yet; else the screen is not followed. */
  readonly replays: boolean;
  readonly checkpoints: readonly (SharedArrayBuffer | undefined)[];
  /** See `CheckpointStore`. */
  keep(slot: number, shared: SharedArrayBuffer | undefined): void;
  /** The oldest position from `from` on at which a plain replay can begin. */
  replayStart(from?: number): number;
}

/** What is known of a terminal's screen and size at the positions of its log. */
export class TerminalScreen {
  readonly sizes: SizeLog;
  readonly #options: TerminalScreenOptions;
  readonly #tracker: ScreenTracker | undefined;

  constructor(options: TerminalScreenOptions) {
    this.#options = options;
    this.sizes = new SizeLog(options.status, options.firstSize);
    if (!options.replays) return;
    this.#tracker = new ScreenTracker({
      log: options.log,
      sizes: this.sizes,
      store: new CheckpointStore(options.checkpoints, (slot, shared) => {
        options.keep(slot, shared);
      }),
      pool: emulators,
      clock: options.clock,
      size: options.firstSize,
    });
  }

  /** `bytes` are about to be appended to the log. */
  appending(bytes: Uint8Array): void {
    this.#tracker?.appending(bytes);
  }

  /** Bytes before log position `to` will be gone after this call. */
  evicting(to: number): void {
    this.#tracker?.evicting(to);
  }

  /** From here on the terminal has `size`. */
  resized(size: TerminalSize): void {
    this.#tracker?.sizeChanging();
    this.sizes.push({ offset: this.#options.log.head, size });
    this.#tracker?.sizeChanged();
  }

  /** Where a viewer begins that has nothing: as early as can be, or at or soon after `from`. */
  point(from?: number): LogPoint {
    if (this.#tracker !== undefined) return this.#tracker.point(from);
    return this.#plainPoint(this.#options.replayStart(from));
  }

  /** Where a viewer goes on that has all before `offset`, which is kept. Absent: it missed a change of size. */
  resumePoint(offset: number): LogPoint | undefined {
    if (this.#tracker === undefined) return this.#plainPoint(offset);
    return this.sizes.pointAt(offset, this.#tracker.checkpoint);
  }

  /** Without a screen nothing is known of changes that are not kept any more. */
  #plainPoint(offset: number): LogPoint {
    const { sizes } = this;
    const { oldest } = sizes;
    const size = sizes.at(oldest)?.size ?? this.#options.firstSize;
    return sizes.pointAt(offset) ?? { offset, size, sizes: oldest };
  }

  /** What an emulator answers to `query` at log position `at`. Absent: nothing, or nobody knows. */
  ask(at: number, query: string): string | undefined {
    return this.#tracker?.ask(at, query);
  }

  close(): void {
    this.#tracker?.close();
  }
}
