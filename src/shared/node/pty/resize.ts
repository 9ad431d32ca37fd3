import type { TerminalSize } from '../../common/wire/index.js';
import { ptyBinding } from './native.js';

/** Sets the size of the PTY behind any duplicate of its master; the kernel sends SIGWINCH. */
export function resizePty(fd: number, { rows, cols }: TerminalSize): void {
  ptyBinding().resize(fd, cols, rows);
}
