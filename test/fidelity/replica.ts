import { limits, systemClock } from '../../src/shared/common/index.js';
import type { TerminalSize } from '../../src/shared/common/wire/index.js';
import { TerminalStatus } from '../../src/shared/node/ports/index.js';
import { GrowthBudget, OutputLog } from '../../src/workers/terminal/output-log.js';
import {
  CheckpointStore,
  EmulatorPool,
  ScreenTracker,
  SizeLog,
  type Checkpoint,
  type LogPoint,
  type ReadableLog,
} from '../../src/workers/terminal/screen/index.js';
import { ViewerEmulator } from './viewer-emulator.js';

/** A log that lets go of bytes one by one, so that checkpoints lie at any place. */
class FineLog implements ReadableLog {
  readonly capacity: number;
  readonly #leadIn: number;
  readonly #evicting: (to: number) => void;
  #bytes: Uint8Array = new Uint8Array(1_024);
  head = 0;
  foldedTo = 0;

  constructor(capacity: number, leadIn: number, evicting: (to: number) => void) {
    this.capacity = capacity;
    this.#leadIn = leadIn;
    this.#evicting = evicting;
  }

  append(bytes: Uint8Array): void {
    if (this.head + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array((this.head + bytes.length) * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.head);
    this.head += bytes.length;
    const to = this.head - this.capacity - this.#leadIn;
    if (to <= this.foldedTo) return;
    this.#evicting(to);
    // What is gone must not be read any more.
    this.#bytes.fill(0x21, this.foldedTo, to);
    this.foldedTo = to;
  }

  copy(from: number, to: number, target: Uint8Array, at: number): void {
    target.set(this.#bytes.subarray(from, to), at);
  }
}

export interface ReplicaOptions {
  readonly size: TerminalSize;
  readonly ringBytes: number;
  readonly leadInBytes: number;
  /** The log of the workers, with its blocks, instead of one that evicts byte by byte. */
  readonly blocks: boolean;
  /** Off: a replay begins at the oldest byte kept, with nothing before it. */
  readonly tracker: boolean;
  readonly pool: EmulatorPool;
}

export interface AttachOptions {
  /** Not from the beginning of the replay on, but from here or soon after. */
  readonly from?: number;
  create?(size: TerminalSize): ViewerEmulator;
}

const createViewer = (size: TerminalSize): ViewerEmulator => new ViewerEmulator(size);

/** One terminal's log with its screen, as a worker keeps it, and viewers that come to it. */
export class Replica {
  readonly #options: ReplicaOptions;
  readonly #status = new TerminalStatus();
  readonly #sizes: SizeLog;
  readonly #slots: (SharedArrayBuffer | undefined)[] = [undefined, undefined];
  readonly #log: FineLog | OutputLog;
  #tracker: ScreenTracker;
  /** Checkpoints that came of plain text alone, and of an emulator. */
  readonly ways = { plain: 0, emulator: 0 };

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#sizes = new SizeLog(this.#status, options.size);
    const { ringBytes, leadInBytes } = options;
    const evicting = (to: number): void => {
      const before = this.#tracker.checkpoint.offset;
      this.#tracker.evicting(to);
      if (this.#tracker.checkpoint.offset === before) return;
      this.ways[this.#tracker.checkpoint.screen === undefined ? 'plain' : 'emulator'] += 1;
    };
    const budget = new SharedArrayBuffer(4);
    this.#log = options.blocks
      ? new OutputLog({
          ringBytes,
          leadInBytes,
          budget: new GrowthBudget(budget),
          recovered: [],
          head: 0,
          onBlock: () => undefined,
          onBlockFreed: () => undefined,
          onEvict: (_, end) => {
            evicting(end);
          },
        })
      : new FineLog(ringBytes, leadInBytes, evicting);
    this.#tracker = this.#createTracker();
  }

  get head(): number {
    return this.#log.head;
  }

  append(bytes: Uint8Array): void {
    this.#tracker.appending(bytes);
    this.#log.append(bytes);
  }

  resize(size: TerminalSize): void {
    this.#tracker.sizeChanging();
    this.#sizes.push({ offset: this.#log.head, size });
    this.#tracker.sizeChanged();
  }

  /** As after the death of a worker: all that is left is what is in shared memory. */
  restart(): void {
    this.#tracker.close();
    this.#tracker = this.#createTracker();
  }

  get checkpoint(): Checkpoint {
    return this.#tracker.checkpoint;
  }

  /** A viewer that comes now with nothing, and is given what one is given. */
  attach({ from, create = createViewer }: AttachOptions = {}): ViewerEmulator {
    const point = this.#options.tracker ? this.#tracker.point(from) : this.#oldestByte();
    const emulator = create(point.size);
    if (point.snapshot !== undefined) emulator.replay(point.snapshot);
    if (emulator.answers !== '' || emulator.bells > 0) throw new Error('a snapshot was answered');
    this.#replay(emulator, point);
    return emulator;
  }

  /** A viewer comes back whose `emulator` has seen all up to log position `from`. */
  resume(emulator: ViewerEmulator, from: number): ViewerEmulator {
    const point =
      from < this.#log.foldedTo ? undefined : this.#sizes.pointAt(from, this.checkpoint);
    if (point === undefined) {
      emulator.dispose();
      return this.attach();
    }
    const { size } = point;
    const isSame = emulator.size.rows === size.rows && emulator.size.cols === size.cols;
    if (!isSame) emulator.resize(size);
    this.#replay(emulator, point);
    return emulator;
  }

  /** Where a replay would begin without a tracker. */
  #oldestByte(): LogPoint {
    const offset = this.#log.foldedTo;
    const sizes = this.#sizes.after(offset);
    return { offset, sizes, size: this.#sizes.at(sizes - 1)?.size ?? this.#options.size };
  }

  #replay(emulator: ViewerEmulator, point: LogPoint): void {
    const log = this.#log;
    let at = point.offset;
    for (let number = point.sizes; ; number += 1) {
      const change = this.#sizes.at(number);
      const end = Math.min(change?.offset ?? log.head, log.head);
      const bytes = new Uint8Array(end - at);
      log.copy(at, end, bytes, 0);
      emulator.replay(bytes);
      at = end;
      if (change === undefined) break;
      emulator.resize(change.size);
    }
    emulator.replayed();
  }

  /** The checkpoint, for a report. */
  describe(): string {
    const { offset, size, screen, modes } = this.#tracker.checkpoint;
    const text = JSON.stringify(screen ?? `${modes?.sequences ?? ''}${modes?.pen ?? ''}`);
    return `${String(offset)} ${String(size.rows)}x${String(size.cols)} ${text}`;
  }

  close(): void {
    this.#tracker.close();
  }

  #createTracker(): ScreenTracker {
    return new ScreenTracker({
      log: this.#log,
      sizes: this.#sizes,
      store: new CheckpointStore(this.#slots, (slot, shared) => {
        this.#slots[slot] = shared;
      }),
      pool: this.#options.pool,
      clock: systemClock,
      size: this.#options.size,
    });
  }
}

/** Emulators for many replicas, one at a time. */
export function createPool(): EmulatorPool {
  return new EmulatorPool(limits.SCREEN_EMULATORS);
}
