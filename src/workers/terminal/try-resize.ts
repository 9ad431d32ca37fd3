import { wrapError, type Logger } from '../../shared/common/index.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';
import { resizePty } from '../../shared/node/pty/index.js';

/** Gives a PTY another size. A failure is only logged: at the end of a program there is nothing to resize. */
export function tryResize(fd: number, size: TerminalSize, logger: Logger): void {
  try {
    resizePty(fd, size);
  } catch (error) {
    logger.debug('resize failed', { error: wrapError(error, 'ERR_INTERNAL', 'resize') });
  }
}
