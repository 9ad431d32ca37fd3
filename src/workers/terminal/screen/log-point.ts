import type { TerminalSize } from '../../../shared/common/wire/index.js';

/** Where a viewer goes on in the log. */
export interface LogPoint {
  /** First byte it gets. */
  readonly offset: number;
  /** The size of the terminal there. */
  readonly size: TerminalSize;
  /** Number of the first size change that comes after it; see `SizeLog`. */
  readonly sizes: number;
  /** Brings a fresh emulator of `size` to the screen there. Absent: it has that screen, or it is empty. */
  readonly snapshot?: Uint8Array | undefined;
}
