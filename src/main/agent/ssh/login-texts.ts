import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { join } from 'node:path';
import { limits, wrapError, type Logger } from '../../../shared/common/index.js';

/** With it a user of OpenSSH, too, says that they know the message of the day. */
const HUSH_FILE = '.hushlogin';

/**
 * What is in a file that people are shown at a login, as it is, up to LOGIN_TEXT_BYTES. Read anew for everybody,
 * since such files change while an agent runs.
 * @throws {Error} of the system, or if it is no file: a pipe would be waited for.
 */
export async function readLoginText(file: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw new Error(`${file} is not a file`);
    const buffer = Buffer.alloc(limits.LOGIN_TEXT_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** @throws {HoldfastError} ERR_CONFIG if it cannot be read: whoever names a banner wants it seen. */
export async function checkBanner(file: string): Promise<void> {
  try {
    await readLoginText(file);
  } catch (error) {
    throw wrapError(error, 'ERR_CONFIG', 'read the banner');
  }
}

/** The banner at this moment. Absent: there is none, or it has gone since the start, which is logged. */
export async function currentBanner(file: string, logger: Logger): Promise<Buffer | undefined> {
  try {
    const text = await readLoginText(file);
    return text.length === 0 ? undefined : text;
  } catch (error) {
    logger.warn('the banner could not be read', { file, error });
    return undefined;
  }
}

/**
 * The message of the day for a terminal whose user lives in `home`, with the line ends that a terminal wants.
 * Absent: there is none, or the user does not want it.
 */
export async function currentMotd(
  file: string | undefined,
  home: string,
): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    await access(join(home, HUSH_FILE));
    return undefined;
  } catch {
    // No such wish.
  }
  try {
    const text = (await readLoginText(file)).toString('latin1').replace(/\r?\n/g, '\r\n');
    return text === '' ? undefined : Buffer.from(text, 'latin1');
  } catch {
    // Most systems have one, none must.
    return undefined;
  }
}
