import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { TerminalSize } from '../../../shared/common/wire/index.js';

/** The state of a screen at a log position, with all the bytes from there on still in the log. */
export interface Checkpoint {
  readonly offset: number;
  readonly size: TerminalSize;
  /** Number of the first change of size that is not part of it. */
  readonly sizes: number;
  /** What brings a fresh emulator of `size` there. Absent: `modes` do. */
  readonly screen?: CheckpointScreen | undefined;
  /** See `Snapshot`. */
  readonly modes?: { readonly sequences: string; readonly pen: string } | undefined;
}

/** UTF-8, or that packed (RFC 1951). Of a stored checkpoint it lies in its slot, until the next but one is saved. */
export interface CheckpointScreen {
  readonly bytes: Uint8Array;
  readonly isPacked: boolean;
}

/** What to send to a fresh emulator, as a copy; empty for the beginning of a log. */
export function screenOf({ screen, modes }: Checkpoint): Uint8Array {
  if (screen === undefined) {
    return Buffer.from(modes === undefined ? '' : modes.sequences + modes.pen, 'utf8');
  }
  // zlib takes no shared memory.
  const bytes = new Uint8Array(screen.bytes);
  return screen.isPacked ? inflateRawSync(bytes) : bytes;
}

const HEADER_WORDS = 10;
const HEADER_BYTES = HEADER_WORDS * 8;
const NONE = -1;
/** A screen of fewer bytes is not worth packing. */
const PACK_BYTES = 2_048;
/** Allocation in steps, so that one that grows by a few bytes does not need a new slot each time. */
const STEP_BYTES = 512;

/**
 * The checkpoint in shared memory, so that it outlives the worker like the ring's blocks do. It is written
 * to a slot of its own beside the last one before the bytes that it stands for are let go: whenever a worker
 * dies, one of the two is whole and fits the ring. One that stays is packed: a screen full of colours takes as
 * much as the ring, and a tenth of it when packed.
 */
export class CheckpointStore {
  readonly #slots: (SharedArrayBuffer | undefined)[] = [undefined, undefined];
  readonly #announce: (slot: number, shared: SharedArrayBuffer | undefined) => void;
  #current = 0;
  #version = 0;

  /** @param announce tells whoever must outlive this thread what to keep. */
  constructor(
    recovered: readonly (SharedArrayBuffer | undefined)[],
    announce: (slot: number, shared: SharedArrayBuffer | undefined) => void,
  ) {
    this.#announce = announce;
    recovered.forEach((shared, slot) => {
      this.#slots[slot] = shared;
    });
  }

  /** The newest that is whole. Absent: none was ever saved. */
  load(): Checkpoint | undefined {
    this.#slots.forEach((shared, slot) => {
      const version = shared === undefined ? 0 : (header(shared)[0] ?? 0);
      if (version <= this.#version) return;
      this.#version = version;
      this.#current = slot;
    });
    const shared = this.#slots[this.#current];
    return shared === undefined || this.#version === 0 ? undefined : read(shared);
  }

  /** @returns it as it is stored: nothing of the given one's memory is held. */
  save(checkpoint: Checkpoint): Checkpoint {
    const { screen, modes } = checkpoint;
    const texts = [screen?.bytes, utf8(modes?.sequences), utf8(modes?.pen)];
    const bytes = texts.reduce((sum, text) => sum + (text?.length ?? 0), HEADER_BYTES);
    const slot = 1 - this.#current;
    const shared = this.#room(slot, bytes);
    const words = header(shared);
    // Invalid while it is written.
    words[0] = 0;
    words[1] = checkpoint.offset;
    words[2] = checkpoint.size.rows;
    words[3] = checkpoint.size.cols;
    words[4] = checkpoint.sizes;
    words[8] = screen?.isPacked === true ? 1 : 0;
    let at = HEADER_BYTES;
    texts.forEach((text, index) => {
      words[5 + index] = text?.length ?? NONE;
      if (text === undefined) return;
      new Uint8Array(shared, at, text.length).set(text);
      at += text.length;
    });
    this.#version += 1;
    words[0] = this.#version;
    this.#current = slot;
    return read(shared);
  }

  /**
   * Packs the screen of `checkpoint`, the stored one, and lets go of what is only needed while the next one is
   * written. @returns what is stored in its place.
   */
  trim(checkpoint: Checkpoint): Checkpoint {
    const { screen } = checkpoint;
    const isWorthIt = screen !== undefined && !screen.isPacked && screen.bytes.length >= PACK_BYTES;
    const trimmed = isWorthIt
      ? this.save({
          ...checkpoint,
          screen: { bytes: deflateRawSync(screenOf(checkpoint)), isPacked: true },
        })
      : checkpoint;
    const spare = 1 - this.#current;
    if (this.#slots[spare] !== undefined) {
      this.#slots[spare] = undefined;
      this.#announce(spare, undefined);
    }
    return trimmed;
  }

  #room(slot: number, bytes: number): SharedArrayBuffer {
    const old = this.#slots[slot];
    if (old !== undefined && old.byteLength >= bytes && old.byteLength < bytes * 2 + STEP_BYTES)
      return old;
    const shared = new SharedArrayBuffer(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
    this.#slots[slot] = shared;
    this.#announce(slot, shared);
    return shared;
  }
}

function utf8(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : Buffer.from(text, 'utf8');
}

function header(shared: SharedArrayBuffer): Float64Array {
  return new Float64Array(shared, 0, HEADER_WORDS);
}

function read(shared: SharedArrayBuffer): Checkpoint {
  const words = header(shared);
  let at = HEADER_BYTES;
  const [screen, ...modes] = [words[5], words[6], words[7]].map((length) => {
    if (length === undefined || length === NONE) return undefined;
    at += length;
    return Buffer.from(shared, at - length, length);
  });
  const [sequences, pen] = modes.map((bytes) => bytes?.toString('utf8'));
  return {
    offset: words[1] ?? 0,
    size: { rows: words[2] ?? 1, cols: words[3] ?? 1 },
    sizes: words[4] ?? 0,
    screen: screen && { bytes: screen, isPacked: words[8] === 1 },
    modes: sequences === undefined || pen === undefined ? undefined : { sequences, pen },
  };
}
