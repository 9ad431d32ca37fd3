import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, realpath, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { HoldfastError, limits } from '../../common/index.js';

// Absent on Windows, where the protection of the user's profile folder has to do.
const NO_FOLLOW = (constants.O_NOFOLLOW as number | undefined) ?? 0;
const NON_BLOCK = (constants.O_NONBLOCK as number | undefined) ?? 0;

/**
 * Makes `path` a folder that only this user can enter, creating it and its parents where missing, and
 * returns its absolute path. A folder that is ours but open to others is closed to them.
 * @throws {HoldfastError} ERR_STATE_DIR if it is a link, no folder, somebody else's or not writable.
 */
export async function openStateDir(path: string): Promise<string> {
  const wanted = resolve(path);
  let actual = wanted;
  try {
    await mkdir(dirname(wanted), { recursive: true, mode: 0o700 });
    // Links above it are the system's business (a linked home); the last step must not be one.
    actual = join(await realpath(dirname(wanted)), basename(wanted));
    await mkdir(actual, { mode: 0o700 }).catch((error: unknown) => {
      if (errno(error) !== 'EEXIST') throw error;
    });
    const found = await lstat(actual);
    if (found.isSymbolicLink()) throw refused(actual, 'it is a symbolic link');
    if (!found.isDirectory()) throw refused(actual, 'it is not a folder');
    if (!isOurs(found)) throw refused(actual, 'it belongs to another user');
    await tighten(actual, found);
  } catch (error) {
    throw stateError(actual, error);
  }
  return actual;
}

/** Through a descriptor, so that what was checked is what is changed, and a read-only disk shows now. */
async function tighten(path: string, found: Stats): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | NO_FOLLOW);
  try {
    const opened = await handle.stat();
    if (opened.ino !== found.ino || opened.dev !== found.dev)
      throw refused(path, 'it was exchanged while it was opened');
    if ((opened.mode & 0o777) !== 0o700) await handle.chmod(0o700);
  } finally {
    await handle.close();
  }
  const probe = join(path, `.probe-${randomBytes(6).toString('hex')}`);
  await (await createPrivate(probe)).close();
  await unlink(probe);
}

/**
 * Replaces `path` by a file of mode 0600 with `data`, so that a reader or a crash sees the old content
 * or the new, never a part. On disk (fsync) when it resolves.
 * @throws {HoldfastError} ERR_STATE_DIR if it cannot be written.
 */
export async function writeSecretFile(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`);
  try {
    const handle = await createPrivate(temporary);
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw stateError(path, error);
  }
}

/**
 * The content of a secret file that only this user (or root) can have written and only this user can
 * read. Absent: there is no such file.
 * @throws {HoldfastError} ERR_STATE_DIR if it is a link, no plain file, of another owner, open to
 *   others, or longer than `maxBytes` (64 KiB).
 */
export async function readSecretFile(
  path: string,
  { maxBytes = limits.SECRET_FILE_BYTES }: { readonly maxBytes?: number } = {},
): Promise<Buffer | undefined> {
  let handle: FileHandle | undefined;
  try {
    // Non-blocking, so that a FIFO put in its place cannot hold us up.
    handle = await open(path, constants.O_RDONLY | NO_FOLLOW | NON_BLOCK);
    const found = await handle.stat();
    requirePlainFile(path, found);
    if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
      throw refused(path, 'other users can read it; give it mode 0600');
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > maxBytes) throw refused(path, `it is longer than ${String(maxBytes)} bytes`);
    return Buffer.from(buffer.subarray(0, length));
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw stateError(path, error);
  } finally {
    await handle?.close();
  }
}

/**
 * Opens a log for writing: emptied, mode 0600, every write at its end. The caller closes the handle.
 * @throws {HoldfastError} ERR_STATE_DIR if something other than a plain file of ours is in its place.
 */
export async function openLogFile(path: string): Promise<FileHandle> {
  let handle: FileHandle | undefined;
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND;
    handle = await open(path, flags | NO_FOLLOW | NON_BLOCK, 0o600);
    // Emptied only after the checks: O_TRUNC would already have emptied what a hard link points to.
    requirePlainFile(path, await handle.stat());
    if (process.platform !== 'win32') await handle.chmod(0o600);
    await handle.truncate(0);
    return handle;
  } catch (error) {
    await handle?.close();
    throw stateError(path, error);
  }
}

function createPrivate(path: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  return open(path, flags | NO_FOLLOW, 0o600);
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function requirePlainFile(path: string, found: Stats): void {
  if (!found.isFile()) throw refused(path, 'it is not a plain file');
  if (!isOurs(found) && found.uid !== 0) throw refused(path, 'it belongs to another user');
  if (found.nlink > 1) throw refused(path, 'it has a second name (hard link)');
}

function isOurs(found: Stats): boolean {
  return process.geteuid === undefined || found.uid === process.geteuid();
}

/** The `errno` code of a system error, such as `ENOENT`. Absent: it is no system error. */
export function errno(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

function refused(path: string, why: string): HoldfastError {
  return new HoldfastError('ERR_STATE_DIR', `${path} is refused: ${why}`);
}

/** `error` as ERR_STATE_DIR that names the path. */
export function stateError(path: string, error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const why =
    errno(error) === 'ELOOP'
      ? 'it is a symbolic link'
      : error instanceof Error
        ? error.message
        : String(error);
  return new HoldfastError('ERR_STATE_DIR', `${path}: ${why}`, { cause: error });
}
