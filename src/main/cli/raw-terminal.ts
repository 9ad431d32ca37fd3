import type { ReadStream, WriteStream } from 'node:tty';
import { limits } from '../../shared/common/index.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';

/** Size of the terminal behind `stream`, within the limits; 24 by 80 where it does not say. */
export function sizeOf(stream: WriteStream): TerminalSize {
  const clamp = (value: number | undefined, fallback: number): number =>
    value === undefined || value < limits.MIN_CELLS ? fallback : Math.min(value, limits.MAX_CELLS);
  return {
    rows: clamp(stream.rows, limits.DEFAULT_ROWS),
    cols: clamp(stream.columns, limits.DEFAULT_COLS),
  };
}

/**
 * Puts the terminal into raw mode until `restore` is called, which also happens when the process exits
 * by whatever way it can still see.
 */
export function enterRawMode(stdin: ReadStream): { restore(): void } {
  const wasRaw = stdin.isRaw;
  let raw = true;
  const restore = (): void => {
    if (!raw) return;
    raw = false;
    process.off('exit', restore);
    stdin.setRawMode(wasRaw);
  };
  stdin.setRawMode(true);
  process.on('exit', restore);
  return { restore };
}
