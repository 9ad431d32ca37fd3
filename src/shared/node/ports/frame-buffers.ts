import { limits, type OwnedBytes } from '../../common/index.js';

/** Room before a message, so that an engine can put a header of its own there. */
const HEADROOM_BYTES = 16;
/** With room for the header of a frame. */
const BUFFER_BYTES = limits.OUTPUT_FRAME_BYTES + 256;
/** Below it a buffer of its own is cheaper. */
const LEAST_BYTES = 8 * limits.KIB;
/** How long buffers that nobody takes are kept. */
const IDLE_MS = 1_000;

/** Of this thread. */
const free: ArrayBuffer[] = [];
let isUsed = false;
let timer: NodeJS.Timeout | undefined;

/**
 * Memory for a message of `length` bytes, with anything in it, that is about to be sent over a port. Large ones are
 * used again: they come back with the credit for them. What V8 has to allocate and collect for each frame of a flood
 * costs more than everything else that is done with it.
 */
export function takeFrame(length: number): OwnedBytes {
  if (length < LEAST_BYTES || length > BUFFER_BYTES - HEADROOM_BYTES) {
    return new Uint8Array(length + HEADROOM_BYTES).subarray(HEADROOM_BYTES);
  }
  isUsed = true;
  return new Uint8Array(free.pop() ?? new ArrayBuffer(BUFFER_BYTES), HEADROOM_BYTES, length);
}

/** Whether `buffer` is one that {@link takeFrame} can use again, in whichever thread. */
export function isFrameBuffer(buffer: ArrayBufferLike): buffer is ArrayBuffer {
  return buffer instanceof ArrayBuffer && buffer.byteLength === BUFFER_BYTES;
}

/** Takes buffers back. Beyond the bound they are left to the garbage collector. */
export function returnFrames(buffers: readonly ArrayBuffer[]): void {
  for (const buffer of buffers) {
    if (free.length * BUFFER_BYTES < limits.FRAME_POOL_BYTES) free.push(buffer);
  }
  timer ??= setInterval(forgetIdle, IDLE_MS).unref();
}

function forgetIdle(): void {
  if (isUsed) {
    isUsed = false;
    return;
  }
  free.length = 0;
  clearInterval(timer);
  timer = undefined;
}
