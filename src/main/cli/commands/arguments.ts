import { constants } from 'node:os';
import { HoldfastError, parseTerminalId } from '../../../shared/common/index.js';
import { BadValue, duration } from '../config/index.js';

const UNIT_SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** @throws {HoldfastError} ERR_INVALID_ARGUMENT if it cannot be the name of a terminal. */
export function terminalArgument(text: string): ReturnType<typeof parseTerminalId> {
  try {
    return parseTerminalId(text);
  } catch (error) {
    throw new HoldfastError(
      'ERR_INVALID_ARGUMENT',
      `${JSON.stringify(text.slice(0, 80))} is no name of a terminal`,
      {
        cause: error,
        hint: 'Use 1 to 64 letters, digits, dots, dashes or underscores, or a UUID.',
      },
    );
  }
}

/** Milliseconds of a time such as `10m`. @throws {HoldfastError} ERR_INVALID_ARGUMENT. */
export function timeArgument(flag: string, text: string): number {
  try {
    return duration(text, '');
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw new HoldfastError('ERR_INVALID_ARGUMENT', `${flag} ${error.message}`, { cause: error });
  }
}

/** `INT`, `int` and `SIGINT` are the same signal. @throws {HoldfastError} ERR_INVALID_ARGUMENT. */
export function signalArgument(text: string): string {
  const bare = text.toUpperCase().replace(/^SIG/, '');
  if (`SIG${bare}` in constants.signals) return `SIG${bare}`;
  throw new HoldfastError(
    'ERR_INVALID_ARGUMENT',
    `there is no signal ${JSON.stringify(text.slice(0, 80))}`,
    { hint: 'For instance HUP, INT, TERM, KILL, USR1.' },
  );
}

/** Seconds of a time such as `90s`, `12h` or `30d`. @throws {HoldfastError} ERR_INVALID_ARGUMENT. */
export function secondsArgument(flag: string, text: string): number {
  const match = /^([0-9]{1,9})([smhd])$/.exec(text);
  if (match === null) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', `${flag} must be a time such as 12h or 30d`);
  }
  return Number(match[1]) * UNIT_SECONDS[match[2] as keyof typeof UNIT_SECONDS];
}
