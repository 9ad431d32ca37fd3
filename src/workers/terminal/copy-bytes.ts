/** Largest piece that goes through the scratch space; a ring block or a read is rarely more. */
const PIECE_BYTES = 4_096;
/** Below it the detour costs more than it saves. */
const SHORT_BYTES = 64;
const WORD_BYTES = 8;

// One pair for all terminals of the thread, since each copy is over before the next begins.
const taken = new Uint8Array(PIECE_BYTES + WORD_BYTES);
const shifted = new Uint8Array(PIECE_BYTES + WORD_BYTES);

/**
 * Copies `source` into `target` at `at`, either of which may be shared memory. V8 copies shared memory
 * byte by byte, and five times slower, unless both sides lie equally within a machine word; so what does
 * not is taken to ordinary memory word by word, moved there, and put back word by word.
 */
export function copyBytes(source: Uint8Array, target: Uint8Array, at: number): void {
  const isAligned = ((source.byteOffset ^ (target.byteOffset + at)) & (WORD_BYTES - 1)) === 0;
  if (isAligned || source.length < SHORT_BYTES) {
    target.set(source, at);
    return;
  }
  for (let from = 0; from < source.length; from += PIECE_BYTES) {
    copyPiece(source.subarray(from, from + PIECE_BYTES), target, at + from);
  }
}

function copyPiece(source: Uint8Array, target: Uint8Array, at: number): void {
  let piece = source;
  if (isShared(source)) {
    const offset = source.byteOffset & (WORD_BYTES - 1);
    taken.set(source, offset);
    piece = taken.subarray(offset, offset + source.length);
  }
  if (isShared(target)) {
    const offset = (target.byteOffset + at) & (WORD_BYTES - 1);
    shifted.set(piece, offset);
    piece = shifted.subarray(offset, offset + piece.length);
  }
  target.set(piece, at);
}

function isShared(bytes: Uint8Array): boolean {
  return bytes.buffer instanceof SharedArrayBuffer;
}
