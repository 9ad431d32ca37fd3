import { HoldfastError } from '../../../shared/common/index.js';
import type { WaitResult } from '../../../shared/common/peer-auth/index.js';
import type { CommandEnd } from '../../../shared/node/ports/index.js';
import type { Entry } from './entry.js';
import type { TerminalHandle } from './terminal-handle.js';
import type { WaitOptions } from './waiters.js';

/**
 * What those who wait for a command hear when the terminal itself ends: of one that ran a program instead of
 * a shell, that was the command.
 */
export function endOfTerminal({ handle, program }: Pick<Entry, 'handle' | 'program'>): WaitResult {
  const { exit = { kind: 'unknown' } } = handle;
  return program === undefined
    ? { ended: 'terminal', exit }
    : { ended: 'command', exit, command: program };
}

/** What they hear when a command ends in it. */
export function endOfCommand({ command, status, durationMs }: CommandEnd): WaitResult {
  return {
    ended: 'command',
    exit: status === undefined ? { kind: 'unknown' } : { kind: 'status', status },
    ...(command === undefined ? {} : { command }),
    ...(durationMs === undefined ? {} : { durationMs }),
  };
}

/** A shell marks its first prompt when it has read its files, which takes some seconds at worst. */
const FIRST_MARK_MS = 5_000;

/**
 * Waits for the end of the next command in the terminal of `entry`, or of the terminal.
 * @throws {HoldfastError} ERR_WAIT_TIMEOUT, ERR_CLOSED when `gone` aborts, ERR_SHELL_INTEGRATION if its
 *   shell would never say.
 */
export async function waitForCommand(
  { handle, program, waiters }: Entry,
  timeoutMs: number | undefined,
  gone: AbortSignal,
): Promise<WaitResult> {
  const isClear = (): boolean => program !== undefined || handle.shell.marks;
  const doubt: WaitOptions['doubt'] = isClear()
    ? undefined
    : {
        ms: Math.max(0, handle.createdAt.getTime() + FIRST_MARK_MS - Date.now()),
        error: () => (isClear() ? undefined : noMarks(handle)),
      };
  return await waiters.wait({ timeoutMs, gone, doubt });
}

function noMarks({ id }: TerminalHandle): HoldfastError {
  const message = `the shell in ${id} does not say where commands end`;
  return new HoldfastError('ERR_SHELL_INTEGRATION', message);
}
