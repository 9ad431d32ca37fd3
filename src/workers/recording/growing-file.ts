import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { HoldfastError } from '../../shared/common/index.js';
import { errno } from '../../shared/node/state/index.js';

/** Whether `error` says that there is no space: on the disk, or in the user's share of it. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(errno(error) ?? '');
}

/** What a file must do for {@link GrowingFile}; tests have one that is full. */
export type FileCalls = Pick<FileHandle, 'write' | 'read' | 'truncate' | 'datasync' | 'close'>;

/**
 * A file that grows by whole writes: one that fails in the middle leaves nothing behind. Not closed by
 * itself.
 */
export class GrowingFile {
  readonly #handle: FileCalls;
  #bytes: number;
  /** When the last write that was asked for is over. */
  #turn: Promise<void> = Promise.resolve();

  constructor(handle: FileCalls, bytes: number) {
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /**
   * Creates `path`, mode 0600; with `keep` takes the one that may be there, cut to so many bytes.
   * Never follows a link, and never writes into a file of another owner or with a second name.
   * @throws {HoldfastError} ERR_STATE_DIR; a system error such as ENOSPC or EEXIST.
   */
  static async open(path: string, keep?: number): Promise<GrowingFile> {
    const fresh = keep === undefined ? constants.O_EXCL : 0;
    const safe = constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const flags = constants.O_RDWR | constants.O_CREAT | safe | fresh;
    const handle = await open(path, flags, 0o600);
    let bytes: number;
    try {
      const found = await handle.stat();
      if (!found.isFile() || found.nlink > 1 || found.uid !== process.geteuid?.()) {
        throw new HoldfastError('ERR_STATE_DIR', `${path} is refused: it is no file of ours`);
      }
      bytes = Math.min(found.size, keep ?? 0);
      if (found.size > bytes) await handle.truncate(bytes);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new GrowingFile(handle, bytes);
  }

  /** Length, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds `data` as a whole, or throws the system's error with the file as it was. Calls at the same time
   * take their turns.
   */
  append(data: Uint8Array): Promise<void> {
    const turn = this.#turn.then(() => this.#append(data));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #append(data: Uint8Array): Promise<void> {
    let written = 0;
    try {
      while (written < data.length) {
        const { bytesWritten } = await this.#handle.write(
          data,
          written,
          data.length - written,
          this.#bytes + written,
        );
        written += bytesWritten;
      }
    } catch (error) {
      if (written > 0) await this.#handle.truncate(this.#bytes);
      throw error;
    }
    this.#bytes += data.length;
  }

  /** The bytes from `from` to `to`, or to the end if that comes first. */
  async read(from: number, to: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(to, this.#bytes) - from));
    let read = 0;
    while (read < buffer.length) {
      const { bytesRead } = await this.#handle.read(
        buffer,
        read,
        buffer.length - read,
        from + read,
      );
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return buffer.subarray(0, read);
  }

  /** Cuts the file to `bytes`. */
  async shorten(bytes: number): Promise<void> {
    await this.#turn;
    await this.#handle.truncate(bytes);
    this.#bytes = bytes;
  }

  /** On disk when it resolves. */
  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
