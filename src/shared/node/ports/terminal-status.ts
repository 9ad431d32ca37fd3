import { limits } from '../../common/index.js';
import type { TerminalSize } from '../../common/wire/index.js';

/**
 * Counters of one terminal in shared memory, so that they outlive its worker: the next worker goes on at
 * the right log offset, and input that a client sends again after the death is not typed twice.
 *
 * Layout: ten float64 (head, raw input, fold, generation, slab base, number of size changes, busy, slab start, slab
 * end, slab used); a ledger of 32 sequence numbers (float64) and as many client ids of 16 bytes; 32 size changes of two
 * float64: offset, and rows times 65536 plus columns. Only the owning worker writes; main and the next worker read after the
 * owner is dead, or for statistics, where a value that is one update old does no harm.
 */
const FIXED_WORDS = 10;
const SLOTS = limits.INPUT_LEDGER_CLIENTS;
const ID_BYTES = 16;
const SLOT_BYTES = ID_BYTES + 8;
const SIZES_AT = FIXED_WORDS * 8 + SLOTS * SLOT_BYTES;
const SIZE_SLOTS = 32;
const STATUS_BYTES = SIZES_AT + SIZE_SLOTS * 16;

export class TerminalStatus {
  readonly shared: SharedArrayBuffer;
  readonly #words: Float64Array;
  readonly #ids: Uint8Array;
  readonly #sequences: Float64Array;
  readonly #sizes: Float64Array;
  /** Slot that is given away next: in turn, so that whoever has had one for longest loses it. */
  #victim = 0;

  /** Absent `shared`: a fresh one. */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(STATUS_BYTES)) {
    this.shared = shared;
    this.#words = new Float64Array(shared, 0, FIXED_WORDS);
    this.#sequences = new Float64Array(shared, FIXED_WORDS * 8, SLOTS);
    this.#ids = new Uint8Array(shared, FIXED_WORDS * 8 + SLOTS * 8, SLOTS * ID_BYTES);
    this.#sizes = new Float64Array(shared, SIZES_AT, SIZE_SLOTS * 2);
  }

  /** Output bytes in the log so far. */
  get head(): number {
    return this.#words[0] ?? 0;
  }
  set head(value: number) {
    this.#words[0] = value;
  }

  /** Input bytes of the SSH session that reached the PTY. */
  get rawInput(): number {
    return this.#words[1] ?? 0;
  }
  set rawInput(value: number) {
    this.#words[1] = value;
  }

  /** State of the sequence scanner at the start of the oldest ring block, packed. */
  get fold(): number {
    return this.#words[2] ?? 0;
  }
  set fold(value: number) {
    this.#words[2] = value;
  }

  /**
   * Which adoption is in force. Main raises it before it gives the terminal to a further worker, so that
   * one which only wakes up later keeps its hands off descriptors that may mean something else by then.
   */
  get generation(): number {
    return this.#words[3] ?? 0;
  }
  set generation(value: number) {
    this.#words[3] = value;
  }

  /** Log offset of the first byte that waits in the reader's slab; see `ReadSlab`. */
  get slabBase(): number {
    return this.#words[4] ?? 0;
  }
  set slabBase(value: number) {
    this.#words[4] = value;
  }

  /** Index of that byte in the slab. */
  get slabStart(): number {
    return this.#words[7] ?? 0;
  }
  set slabStart(value: number) {
    this.#words[7] = value;
  }

  /** Index behind the last byte of the slab that the worker has heard of. */
  get slabEnd(): number {
    return this.#words[8] ?? 0;
  }
  set slabEnd(value: number) {
    this.#words[8] = value;
  }

  /** Index behind the last byte of that slab that was ever written to. */
  get slabUsed(): number {
    return this.#words[9] ?? 0;
  }
  set slabUsed(value: number) {
    this.#words[9] = value;
  }

  /** Changes of size so far; the newest {@link sizeSlots} are kept. */
  get sizeCount(): number {
    return this.#words[5] ?? 0;
  }

  /** The worker is at work for this terminal; if it dies meanwhile, this terminal may be why. */
  get isBusy(): boolean {
    return this.#words[6] === 1;
  }
  set isBusy(value: boolean) {
    this.#words[6] = value ? 1 : 0;
  }

  get sizeSlots(): number {
    return SIZE_SLOTS;
  }

  /** Change `number`, which is kept. */
  sizeChange(number: number): { readonly offset: number; readonly size: TerminalSize } {
    const at = (number % SIZE_SLOTS) * 2;
    const packed = this.#sizes[at + 1] ?? 0;
    const size = { rows: Math.floor(packed / 65_536), cols: packed % 65_536 };
    return { offset: this.#sizes[at] ?? 0, size };
  }

  /** From log position `offset` on the terminal has `size`. */
  pushSize(offset: number, { rows, cols }: TerminalSize): void {
    const number = this.sizeCount;
    const at = (number % SIZE_SLOTS) * 2;
    this.#sizes[at] = offset;
    this.#sizes[at + 1] = rows * 65_536 + cols;
    // After the change itself: a worker that dies in between has not counted it.
    this.#words[5] = number + 1;
  }

  /** Input bytes of the client `clientId` (16 bytes) that the kernel has. 0 as well: not on record any more. */
  typed(clientId: Uint8Array): number {
    const slot = this.#slotOf(clientId);
    return slot === undefined ? 0 : (this.#sequences[slot] ?? 0);
  }

  /**
   * Of `clientId` the kernel has `sequence` bytes. Only who types is on record, `INPUT_LEDGER_CLIENTS` at a time: one
   * that only looks takes nobody's place, and one whose place was taken has one again when it types.
   */
  recordTyped(clientId: Uint8Array, sequence: number): void {
    this.#sequences[this.#slotOf(clientId) ?? this.#claim(clientId)] = sequence;
  }

  #slotOf(clientId: Uint8Array): number | undefined {
    for (let slot = 0; slot < SLOTS; slot += 1) if (this.#matches(slot, clientId)) return slot;
    return undefined;
  }

  #claim(clientId: Uint8Array): number {
    const free = this.#sequences.indexOf(0);
    const slot = free >= 0 ? free : this.#victim;
    this.#victim = (slot + 1) % SLOTS;
    this.#ids.set(clientId, slot * ID_BYTES);
    return slot;
  }

  #matches(slot: number, clientId: Uint8Array): boolean {
    for (let at = 0; at < ID_BYTES; at += 1) {
      if (this.#ids[slot * ID_BYTES + at] !== clientId[at]) return false;
    }
    return true;
  }
}
