import { limits, type Clock, type Timer } from '../../../shared/common/index.js';
import type { TerminalSize } from '../../../shared/common/wire/index.js';
import type { LogPoint } from './log-point.js';
import { screenOf, type Checkpoint, type CheckpointStore } from './checkpoint.js';
import type { EmulatorPool } from './emulator-pool.js';
import { LINES_ABOVE, ScreenEmulator } from './screen-emulator.js';
import { PenState } from './pen-state.js';
import { countLineFeeds, PlainPieces } from './plain-pieces.js';
import type { ReadableLog } from './readable-log.js';
import type { SizeLog } from './size-log.js';
import { unfinishedSequence } from './unfinished.js';

const ESC = 0x1b;
const NOTHING = new Uint8Array();
/** How far beyond the place that was aimed at a checkpoint may lie, to be outside of any sequence. */
const MAX_STEPS = 16_384;
/** So far before a place the pen's last full reset is looked for before everything is. */
const PEN_BYTES = 2_048;
const CR_LF = Buffer.from('\r\n', 'latin1');
/** So much before a place a line is expected to begin. */
const LINE_BYTES = 512;
/** Longest character in bytes. */
const CHARACTER_BYTES = 4;

// One for all terminals of the thread, since what is read there is done with before the next is.
let scratch = Buffer.allocUnsafeSlow(16 * limits.KIB);

/** The modes of a fresh emulator, stated where a reset of a used one leaves something behind. */
const FRESH = { sequences: '\x1b[?25h\x1b[20l', pen: '' };

/** A checkpoint that an emulator was brought to. */
interface Advanced extends Checkpoint {
  /** Outside of any sequence, so that the emulator itself can go on from there. */
  readonly isWhole: boolean;
  /** A replay from there leads to the exact screen. */
  readonly isGood: boolean;
}

export interface ScreenTrackerOptions {
  readonly log: ReadableLog;
  readonly sizes: SizeLog;
  readonly store: CheckpointStore;
  readonly pool: EmulatorPool;
  readonly clock: Clock;
  /** Of the terminal at the beginning of its log. */
  readonly size: TerminalSize;
}

/**
 * Keeps a checkpoint of one terminal's screen at a position from which the log still has all bytes, so that
 * a viewer that begins there ends with the screen of one that never left. When bytes are to be evicted
 * beyond it, it moves on:
 *
 * - over bytes that do nothing, by moving it;
 * - over plain text, when what follows the new place scrolls all off the screen that was there: then the
 *   modes and the pen say enough, and no emulator is needed. Floods take this way;
 * - else by an emulator, which is brought to the old checkpoint and given the bytes.
 *
 * All of it is synchronous, within the turn that reads the PTY: when it cannot keep up, reading waits.
 */
export class ScreenTracker {
  readonly #options: ScreenTrackerOptions;
  readonly #pieces: PlainPieces;
  #checkpoint: Checkpoint;
  #idle: Timer | undefined;

  constructor(options: ScreenTrackerOptions) {
    this.#options = options;
    this.#checkpoint = options.store.load() ?? {
      offset: 0,
      size: options.size,
      sizes: 0,
      modes: FRESH,
    };
    this.#pieces = new PlainPieces(options.log.head);
  }

  get checkpoint(): Checkpoint {
    return this.#checkpoint;
  }

  /**
   * Where a viewer begins that has nothing: at the checkpoint, or at or soon after `from` if there is a place
   * for it, which costs an emulator a few milliseconds.
   */
  point(from?: number): LogPoint {
    if (from === undefined || from <= this.#checkpoint.offset) {
      const { offset, size, sizes } = this.#checkpoint;
      // Nothing comes before the beginning.
      return { offset, size, sizes, snapshot: offset === 0 ? undefined : this.#screen() };
    }
    let emulator = new ScreenEmulator(this.#checkpoint.size);
    emulator.write(this.#screen());
    const { offset, size, sizes, screen, isGood } = this.#advance(emulator, from, (renewed) => {
      emulator.dispose();
      emulator = new ScreenEmulator(renewed);
      return emulator;
    });
    emulator.dispose();
    // The output ends within a sequence that began before: only a replay from its beginning is exact.
    if (!isGood) return this.point();
    return { offset, size, sizes, snapshot: screen?.bytes };
  }

  /**
   * What an emulator answers to `query` whose screen is that at log position `at`. Absent: nothing, or that
   * is not known any more. Costs an emulator and all that is kept of the log before `at`.
   */
  ask(at: number, query: string): string | undefined {
    if (at < this.#checkpoint.offset) return undefined;
    const emulator = new ScreenEmulator(this.#checkpoint.size);
    emulator.write(this.#screen());
    this.#replay(emulator, at);
    const answer = emulator.ask(query);
    emulator.dispose();
    return answer === '' ? undefined : answer;
  }

  /** Gives `emulator`, which is at the checkpoint, the log up to `to`, sizes and all. */
  #replay(emulator: ScreenEmulator, to: number): void {
    let { offset, sizes } = this.#checkpoint;
    const bytes = new Uint8Array(limits.RING_BLOCK_BYTES);
    for (;;) {
      const change = this.#options.sizes.at(sizes);
      const end = Math.min(to, change?.offset ?? to);
      while (offset < end) {
        const next = Math.min(end, offset + bytes.length);
        this.#options.log.copy(offset, next, bytes, 0);
        emulator.write(bytes.subarray(0, next - offset));
        offset = next;
      }
      if (change === undefined || change.offset > offset) return;
      emulator.resize(change.size);
      sizes += 1;
    }
  }

  /** `bytes` are about to be appended to the log; while they are, others will be evicted. */
  appending(bytes: Uint8Array): void {
    this.#pieces.appended(bytes, this.#lineFeeds);
  }

  /** Bytes before log position `to` will be gone after this call. */
  evicting(to: number): void {
    if (to <= this.#checkpoint.offset) return;
    const { log } = this.#options;
    const target = Math.max(to, log.head - log.capacity);
    if (this.#skipIdle(to, target) || this.#skipPlain(to, target)) {
      this.#options.pool.release(this);
      return;
    }
    this.#fold(target);
  }

  /** A change of size is about to be added to the log of sizes. */
  sizeChanging(): void {
    const { sizes } = this.#options;
    // The slot of a change that is not part of the checkpoint must not be taken.
    if (sizes.next - this.#checkpoint.sizes < sizes.slots) return;
    this.#fold(sizes.at(this.#checkpoint.sizes)?.offset ?? this.#checkpoint.offset);
  }

  /** A change was added. At the beginning there is no screen yet that it could change. */
  sizeChanged(): void {
    const { sizes } = this.#options;
    const change = sizes.at(sizes.next - 1);
    if (this.#checkpoint.offset > 0 || change === undefined || change.offset > 0) return;
    this.#checkpoint = { ...this.#checkpoint, size: change.size, sizes: sizes.next };
  }

  close(): void {
    this.#idle?.cancel();
    this.#options.pool.release(this);
  }

  /**
   * The line feeds that must follow a place, so that what was on the screen before has scrolled away wherever the
   * cursor was, and as many lines are above the screen as a snapshot has.
   */
  get #lineFeeds(): number {
    return 2 * this.#checkpoint.size.rows + LINES_ABOVE;
  }

  #skipIdle(to: number, target: number): boolean {
    const { offset } = this.#checkpoint;
    const end = Math.min(target, this.#pieces.idleUntil(offset));
    if (end < to || this.#nextSizeChange() <= end) return false;
    this.#save({ ...this.#checkpoint, offset: end });
    return true;
  }

  #skipPlain(to: number, target: number): boolean {
    const { offset, modes } = this.#checkpoint;
    if (modes === undefined || this.#nextSizeChange() !== Number.POSITIVE_INFINITY) return false;
    const start = this.#lineStart(to, target);
    if (start === undefined) return false;
    const isFollowed = this.#pieces.isPlainBeyond(offset, start, this.#lineFeeds, (from, to) =>
      countLineFeeds(this.#bytes(from, Math.min(to, this.#options.log.head)), this.#lineFeeds),
    );
    if (!isFollowed) return false;
    const pen = this.#penAt(start, modes.pen);
    if (pen === undefined) return false;
    this.#save({
      ...this.#checkpoint,
      offset: start,
      screen: undefined,
      modes: { sequences: modes.sequences, pen },
    });
    return true;
  }

  /** Last position from `least` to `most` that begins a line, after CR and LF. Absent: there is none. */
  #lineStart(least: number, most: number): number | undefined {
    let end = most;
    while (end > least) {
      const from = Math.max(least - CR_LF.length, end - LINE_BYTES, 0);
      const found = this.#bytes(from, end).lastIndexOf(CR_LF);
      if (found !== -1) {
        const start = from + found + CR_LF.length;
        return start >= least ? start : undefined;
      }
      if (from + 1 >= end) break;
      // One byte again: the two may lie across.
      end = from + 1;
    }
    return undefined;
  }

  /** The pen at `start`, after nothing but plain text since the checkpoint. Absent: only an emulator knows. */
  #penAt(start: number, before: string): string | undefined {
    const { offset } = this.#checkpoint;
    if (this.#pieces.isBare(offset, start)) return before;
    const pen = new PenState();
    const near = this.#text(Math.max(offset, start - PEN_BYTES), start);
    const isKnown = PenState.isReset(near)
      ? pen.take(near)
      : pen.take(before) && pen.take(this.#text(offset, start));
    return isKnown ? pen.sequence() : undefined;
  }

  /** Of the log, one character each byte. */
  #text(from: number, to: number): string {
    return this.#bytes(from, to).toString('latin1');
  }

  /** Of the log; valid until the next call. */
  #bytes(from: number, to: number): Buffer {
    if (to - from > scratch.length) scratch = Buffer.allocUnsafeSlow(to - from);
    const bytes = scratch.subarray(0, to - from);
    this.#options.log.copy(from, to, bytes, 0);
    return bytes;
  }

  #nextSizeChange(): number {
    const { sizes } = this.#options;
    return sizes.at(this.#checkpoint.sizes)?.offset ?? Number.POSITIVE_INFINITY;
  }

  /** Moves the checkpoint to `target`, or as little beyond it as needs be, by an emulator. */
  #fold(target: number): void {
    const { pool } = this.#options;
    const emulator = pool.get(this) ?? pool.create(this, this.#checkpoint.size, this.#screen());
    const {
      isWhole,
      isGood: _,
      ...checkpoint
    } = this.#advance(emulator, target, (size) => pool.create(this, size, NOTHING));
    this.#save(checkpoint);
    // What it holds and what was saved are two things then.
    if (!isWhole) pool.release(this);
    this.#expectMore();
  }

  /** Gives `emulator`, which is at the checkpoint, the log up to `target` or soon after. */
  #advance(
    first: ScreenEmulator,
    target: number,
    renew: (size: TerminalSize) => ScreenEmulator,
  ): Advanced {
    const { log } = this.#options;
    let emulator = first;
    let { offset, sizes, size } = this.#checkpoint;
    const bytes = new Uint8Array(limits.RING_BLOCK_BYTES);
    const advance = (to: number): void => {
      for (;;) {
        const change = this.#options.sizes.at(sizes);
        const end = Math.min(to, change?.offset ?? to);
        while (offset < end) {
          const next = Math.min(end, offset + bytes.length);
          log.copy(offset, next, bytes, 0);
          try {
            emulator.write(bytes.subarray(0, next - offset));
          } catch {
            // A defect of the emulator. Output must not end a terminal, so its screen is lost instead, up
            // to the next time that the program draws it.
            emulator = renew(size);
          }
          offset = next;
        }
        if (change === undefined || change.offset > offset) return;
        emulator.resize(change.size);
        size = change.size;
        sizes += 1;
      }
    };
    advance(target);
    const limit = Math.min(log.head, target + MAX_STEPS);
    while (offset < limit && !this.#isGoodPlace(emulator, offset)) advance(offset + 1);
    const isGood = this.#isGoodPlace(emulator, offset);
    const { screen, modes } = emulator.snapshot(limits.SNAPSHOT_BYTES);
    const place = { offset, size, sizes, isGood };
    const isWhole = emulator.atBoundary;
    const text = isWhole ? screen : screen + unfinishedSequence(emulator.parserState);
    return {
      ...place,
      screen: { bytes: Buffer.from(text, 'utf8'), isPacked: false },
      ...(isWhole ? { modes } : {}),
      isWhole,
    };
  }

  /**
   * Whether a replay may begin at `offset`: not where the screen cannot be restored, neither within a
   * character or a sequence, nor before anything that depends on the character before it, as one that joins
   * it does, or a REP.
   */
  #isGoodPlace(emulator: ScreenEmulator, offset: number): boolean {
    if (!emulator.atBoundary || !emulator.isSerializable) return false;
    if (!emulator.mayJoin) return true;
    const { log } = this.#options;
    const end = Math.min(log.head, offset + CHARACTER_BYTES);
    const next = new Uint8Array(end - offset);
    log.copy(offset, end, next, 0);
    return next[0] !== ESC && emulator.standsAlone(next);
  }

  #screen(): Uint8Array {
    return screenOf(this.#checkpoint);
  }

  /** Keeps the emulator, and the room for the next checkpoint, while they are in use. */
  #expectMore(): void {
    const { clock, pool, store } = this.#options;
    this.#idle?.cancel();
    this.#idle = clock.after(limits.SCREEN_IDLE_MS, () => {
      pool.release(this);
      this.#checkpoint = store.trim(this.#checkpoint);
    });
  }

  #save(checkpoint: Checkpoint): void {
    this.#checkpoint = this.#options.store.save(checkpoint);
    this.#pieces.forget(checkpoint.offset);
  }
}
