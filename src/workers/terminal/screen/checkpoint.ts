import type { TerminalSize } from '../../../shared/common/wire/index.js';

/** The state of a screen at a log position, with all the bytes from there on still in the log. */
export interface Checkpoint {
  readonly offset: number;
  readonly size: TerminalSize;
  /** Number of the first change of size that is not part of it. */
  readonly sizes: number;
  /** What brings a fresh emulator of `size` there. Absent: `modes` do. */
  readonly screen?: string | undefined;
  /** See `Snapshot`. */
  readonly modes?: { readonly sequences: string; readonly pen: string } | undefined;
}

/** What to send to a fresh emulator; empty for the beginning of a log. */
export function screenOf({ screen, modes }: Checkpoint): string {
  return screen ?? (modes === undefined ? '' : modes.sequences + modes.pen);
}

const HEADER_WORDS = 9;
const HEADER_BYTES = HEADER_WORDS * 8;
const NONE = -1;
/** Allocation in steps, so that one that grows by a few bytes does not need a new slot each time. */
const STEP_BYTES = 512;

/**
 * The checkpoint in shared memory, so that it outlives the worker like the ring's blocks do. It is written
 * to a slot of its own beside the last one before the bytes that it stands for are let go: whenever a worker
 * dies, one of the two is whole and fits the ring.
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

  save(checkpoint: Checkpoint): void {
    const { screen, modes } = checkpoint;
    const texts = [screen, modes?.sequences, modes?.pen].map((text) =>
      text === undefined ? undefined : Buffer.from(text, 'utf8'),
    );
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
  }

  /** Lets go of what is only needed while the next one is written. */
  trim(): void {
    const spare = 1 - this.#current;
    if (this.#slots[spare] === undefined) return;
    this.#slots[spare] = undefined;
    this.#announce(spare, undefined);
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

function header(shared: SharedArrayBuffer): Float64Array {
  return new Float64Array(shared, 0, HEADER_WORDS);
}

function read(shared: SharedArrayBuffer): Checkpoint {
  const words = header(shared);
  const bytes = Buffer.from(shared);
  let at = HEADER_BYTES;
  const [screen, sequences, pen] = [words[5], words[6], words[7]].map((length) => {
    if (length === undefined || length === NONE) return undefined;
    at += length;
    return bytes.toString('utf8', at - length, at);
  });
  return {
    offset: words[1] ?? 0,
    size: { rows: words[2] ?? 1, cols: words[3] ?? 1 },
    sizes: words[4] ?? 0,
    screen,
    modes: sequences === undefined || pen === undefined ? undefined : { sequences, pen },
  };
}
