import ringBuffer, { type RingBuffer as Ring } from 'ring-buffer-ts';
import { limits } from '../../shared/common/index.js';
import { copyBytes } from './copy-bytes.js';

// The package is UMD without names that Node's ESM loader could see.
const { RingBuffer } = ringBuffer;

/** Ring blocks live in shared memory: 16 bytes of header, then the data. */
const HEADER_BYTES = 16;
const BLOCK_BYTES = limits.RING_BLOCK_BYTES;
const SHRINK_SLACK_BLOCKS = 16;

/**
 * One block of the log. Its position and fill are in the block itself, so that the blocks alone are
 * enough to rebuild the ring after the worker that filled it has died.
 */
class Block {
  readonly shared: SharedArrayBuffer;
  readonly data: Uint8Array;
  readonly #header: Float64Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#header = new Float64Array(shared, 0, 2);
    this.data = new Uint8Array(shared, HEADER_BYTES, BLOCK_BYTES);
  }

  static allocate(): Block {
    return new Block(new SharedArrayBuffer(HEADER_BYTES + BLOCK_BYTES));
  }

  get start(): number {
    return this.#header[0] ?? 0;
  }
  get used(): number {
    return this.#header[1] ?? 0;
  }
  get end(): number {
    return this.start + this.used;
  }

  /** Empties the block and moves it to log offset `start`. */
  reset(start: number): void {
    // Fill first: a reader of a dead worker's block must never see old bytes at a new offset.
    this.#header[1] = 0;
    this.#header[0] = start;
  }

  /** Appends what fits of `bytes` from `at`; returns how much that was. */
  append(bytes: Uint8Array, at: number): number {
    const used = this.used;
    const count = Math.min(BLOCK_BYTES - used, bytes.length - at);
    copyBytes(bytes.subarray(at, at + count), this.data, used);
    this.#header[1] = used + count;
    return count;
  }
}

/** Bytes that the rings of all terminals together may still grow by. Shared between the workers. */
export class GrowthBudget {
  readonly #left: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.#left = new Int32Array(shared);
  }

  /** Negative while a drain at exit has overdrawn it. */
  get left(): number {
    return Atomics.load(this.#left, 0);
  }

  take(bytes: number): void {
    Atomics.sub(this.#left, 0, bytes);
  }

  giveBack(bytes: number): void {
    Atomics.add(this.#left, 0, bytes);
  }
}

export interface OutputLogOptions {
  /** Bytes kept for replay; rounded up to whole blocks. */
  readonly ringBytes: number;
  /** Bytes kept before those, so that what leaves the ring can be dealt with in larger pieces. */
  readonly leadInBytes: number;
  readonly budget: GrowthBudget;
  /** Blocks of the log of a dead worker, in any order. */
  readonly recovered: readonly SharedArrayBuffer[];
  /** Where the log ends if no block was recovered. */
  readonly head: number;
  /** A block was allocated; whoever must outlive this thread keeps it. */
  onBlock(block: SharedArrayBuffer): void;
  /** The block that was announced as number `index` is not in use any more. */
  onBlockFreed(index: number): void;
  /**
   * These bytes, before log position `end`, leave the ring now; the last moment at which they, and all
   * after them, can be copied.
   */
  onEvict(bytes: Uint8Array, end: number): void;
}

/**
 * The log of a terminal's output: all bytes have an offset, the last `ringBytes` are kept. What lies at or
 * above `protect`ed offsets is never evicted; the ring grows for it, up to RING_MAX_BYTES and while the
 * budget of all terminals lasts, and shrinks again afterwards.
 *
 * Memory comes in blocks of 4 KiB on first use, so an idle terminal costs none.
 */
export class OutputLog {
  readonly #options: OutputLogOptions;
  readonly #basicBlocks: number;
  readonly #blocks: Ring<Block>;
  /** In the order of announcement, so that `onBlockFreed` can name them. */
  readonly #announced: (Block | undefined)[] = [];
  #head: number;
  #protected = Number.POSITIVE_INFINITY;

  constructor(options: OutputLogOptions) {
    this.#options = options;
    // One more than fits exactly, since the newest block is partly filled.
    this.#basicBlocks = Math.ceil((options.ringBytes + options.leadInBytes) / BLOCK_BYTES) + 1;
    this.#blocks = new RingBuffer<Block>(this.#basicBlocks);
    this.#head = options.head;
    this.#recover(options.recovered);
  }

  /** Bytes kept for replay when nothing is protected. */
  get capacity(): number {
    return this.#options.ringBytes;
  }

  /** Offset of the next byte. */
  get head(): number {
    return this.#head;
  }

  /** Offset of the oldest byte that can be read. Equal to `head` when nothing is kept. */
  get oldest(): number {
    const first = this.#first();
    if (first === undefined) return this.#head;
    const kept = Math.min(this.#head - this.#options.ringBytes, this.#protected);
    return Math.max(first.start, kept);
  }

  /** Start of the oldest block, at or before `oldest`: where the fold of evicted bytes ends. */
  get foldedTo(): number {
    return this.#first()?.start ?? this.#head;
  }

  /**
   * Whether `bytes` more can be appended within the bounds without losing protected ones. If not, stop
   * reading the PTY; bytes that were read anyway, as at exit, are still never lost.
   */
  hasRoom(bytes: number): boolean {
    const kept = this.#head - Math.max(this.#protected, this.foldedTo);
    if (kept + bytes <= this.#blocks.getSize() * BLOCK_BYTES - BLOCK_BYTES) return true;
    return kept + bytes <= limits.RING_MAX_BYTES && this.#options.budget.left >= bytes;
  }

  /** Keeps all from `floor` on. Infinity: nothing is protected. */
  protect(floor: number): void {
    this.#protected = floor;
    this.#shrink();
  }

  append(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const last = this.#blocks.getLast();
      const block = last !== undefined && last.used < BLOCK_BYTES ? last : this.#nextBlock();
      const count = block.append(bytes, at);
      at += count;
      this.#head += count;
    }
  }

  /** Copies log bytes `from` (at or above `foldedTo`) to `to` into `target` at `at`. */
  copy(from: number, to: number, target: Uint8Array, at: number): void {
    if (from === to) return;
    let index = this.#indexOf(from);
    let position = from;
    while (position < to) {
      const block = this.#blocks.get(index) as Block;
      const begin = position - block.start;
      const count = Math.min(block.used - begin, to - position);
      copyBytes(block.data.subarray(begin, begin + count), target, at + (position - from));
      position += count;
      index += 1;
    }
  }

  /** Gives the memory that the ring grew by back to the budget. The log is not usable after it. */
  close(): void {
    const grown = this.#blocks.getSize() - this.#basicBlocks;
    if (grown > 0) this.#options.budget.giveBack(grown * BLOCK_BYTES);
    this.#blocks.clear();
  }

  #first(): Block | undefined {
    return this.#blocks.isEmpty() ? undefined : this.#blocks.getFirst();
  }

  /** Blocks are full but for the newest, and the oldest after recovery; so the guess is close. */
  #indexOf(offset: number): number {
    const length = this.#blocks.getBufferLength();
    const first = this.#first() as Block;
    let index = Math.min(length - 1, Math.floor((offset - first.start) / BLOCK_BYTES));
    while (index > 0 && (this.#blocks.get(index) as Block).start > offset) index -= 1;
    while (index < length - 1 && (this.#blocks.get(index) as Block).end <= offset) index += 1;
    return index;
  }

  #nextBlock(): Block {
    if (!this.#blocks.isFull()) return this.#addNew();
    const first = this.#blocks.getFirst() as Block;
    if (first.end > this.#protected) {
      this.#options.budget.take(BLOCK_BYTES);
      this.#blocks.resize(this.#blocks.getSize() + 1);
      return this.#addNew();
    }
    // The oldest block becomes the newest; `add` overwrites exactly its slot.
    this.#options.onEvict(first.data.subarray(0, first.used), first.end);
    first.reset(this.#head);
    this.#blocks.add(first);
    return first;
  }

  #addNew(): Block {
    const block = Block.allocate();
    block.reset(this.#head);
    this.#blocks.add(block);
    this.#announce(block);
    return block;
  }

  #announce(block: Block): void {
    this.#announced.push(block);
    this.#options.onBlock(block.shared);
  }

  #shrink(): void {
    const wanted = Math.max(
      this.#basicBlocks,
      Math.ceil((this.#head - this.#protected) / BLOCK_BYTES) + 1,
    );
    const size = this.#blocks.getSize();
    if (size === this.#basicBlocks) return;
    // Some slack, so that a viewer that is always a bit behind does not resize the ring at every ack.
    if (wanted > this.#basicBlocks && size <= wanted + SHRINK_SLACK_BLOCKS) return;
    while (this.#blocks.getBufferLength() > wanted) {
      const block = this.#blocks.getFirst() as Block;
      this.#options.onEvict(block.data.subarray(0, block.used), block.end);
      this.#blocks.removeFirst();
      this.#free(block);
    }
    this.#blocks.resize(wanted);
    this.#options.budget.giveBack((size - wanted) * BLOCK_BYTES);
  }

  #free(block: Block): void {
    const index = this.#announced.indexOf(block);
    this.#announced[index] = undefined;
    this.#options.onBlockFreed(index);
  }

  /** Takes the unbroken run of blocks that ends at the newest byte. */
  #recover(recovered: readonly SharedArrayBuffer[]): void {
    const blocks = recovered.map((shared) => new Block(shared));
    for (const block of blocks) this.#announced.push(block);
    const filled = blocks.filter((block) => block.used > 0).sort((a, b) => a.start - b.start);
    let from = filled.length - 1;
    while (from > 0 && filled[from - 1]?.end === filled[from]?.start) from -= 1;
    const run = filled.slice(Math.max(0, from));
    const extra = run.length - this.#basicBlocks;
    // The dead worker's share of the budget was never given back, so it is still ours.
    if (extra > 0) this.#blocks.resize(run.length);
    for (const block of run) this.#blocks.add(block);
    for (const block of blocks) if (!run.includes(block)) this.#free(block);
    const newest = run.at(-1);
    if (newest !== undefined) this.#head = newest.end;
  }
}
