import {
  HoldfastError,
  parseTerminalId,
  toErrorRecord,
  type TerminalId,
} from '../../../shared/common/index.js';

/** The user name that the written ssh configuration and `holdfast ssh` send: no terminal in particular. */
export const PLAIN_USER = 'holdfast';

/**
 * The terminal that an SSH user name stands for. Absent: none, a session of its own is meant: the name is
 * `holdfast`, that of the system's user, or that of whoever the ticket names, which clients send by
 * themselves when nobody has said anything.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT if it is no name of a terminal either.
 */
export function terminalOfUser(
  user: string,
  { systemUser, subject }: { readonly systemUser: string | undefined; readonly subject: string },
): TerminalId | undefined {
  if (user === '' || user === PLAIN_USER || user === systemUser || user === subject)
    return undefined;
  try {
    return parseTerminalId(user);
  } catch (error) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', toErrorRecord(error).message, {
      cause: error,
      hint: `Use the name of a terminal, or ${PLAIN_USER}@ for a shell of its own.`,
    });
  }
}
