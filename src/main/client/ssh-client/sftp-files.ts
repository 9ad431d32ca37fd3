import type { SFTPWrapper } from 'ssh2';
import { HoldfastError, limits, once, type Closable } from '../../../shared/common/index.js';
import type { SshConnection } from './connect.js';

/** Bytes of one request; every server takes so many (draft-ietf-secsh-filexfer-02 section 3). */
const PIECE_BYTES = 32 * limits.KIB;
/** Requests under way, so that the way to the server and back is not waited for each time. */
const UNDER_WAY = 16;

/** Whole files over SFTP, several requests at a time. Rejections are ERR_PEER_LOST or ERR_FORBIDDEN. */
export interface SftpFiles extends Closable {
  /**
   * Writes `size` bytes to `path`, in place of what it had.
   * @param fill Puts the bytes of the file at `position` into `piece`.
   */
  write(path: string, size: number, fill: (piece: Buffer, position: number) => void): Promise<void>;
  /**
   * Reads `path`, pieces in any order.
   * @param take Gets the bytes of the file at `position`, which are its only until it returns.
   * @returns how many there were.
   */
  read(path: string, take: (piece: Buffer, position: number) => void): Promise<number>;
  remove(path: string): Promise<void>;
}

/** An SFTP session on `connection`. @throws {HoldfastError} ERR_FORBIDDEN, ERR_PEER_LOST. */
export async function openSftp({ client, closed }: SshConnection): Promise<SftpFiles> {
  // ssh2 leaves requests without an answer when the connection goes.
  const lost = closed.then((error) => {
    throw error ?? new HoldfastError('ERR_PEER_LOST', 'the SSH connection ended');
  });
  lost.catch(() => undefined);
  const call = <T>(work: (done: (error: unknown, value: T) => void) => void): Promise<T> =>
    Promise.race([lost, asPromise(work)]);
  const tell = (work: (done: (error?: unknown) => void) => void): Promise<void> =>
    call<undefined>((done) => {
      work((error) => {
        done(error, undefined);
      });
    });

  const sftp = await call<SFTPWrapper>((done) => client.sftp(done));
  sftp.on('error', () => undefined);
  const open = (path: string, flags: 'r' | 'w'): Promise<Buffer> =>
    call((done) => sftp.open(path, flags, done));
  const closeFile = (handle: Buffer): Promise<void> => tell((done) => sftp.close(handle, done));

  return {
    write: async (path, size, fill) => {
      const handle = await open(path, 'w');
      await inPieces(size, async (position, length, piece) => {
        const bytes = piece.subarray(0, length);
        fill(bytes, position);
        await tell((done) => sftp.write(handle, bytes, 0, length, position, done));
      });
      await closeFile(handle);
    },
    read: async (path, take) => {
      const handle = await open(path, 'r');
      const { size } = await call<{ size: number }>((done) => sftp.fstat(handle, done));
      let received = 0;
      await inPieces(size, async (position, length, piece) => {
        for (let at = 0; at < length;) {
          const count = await call<number>((done) =>
            sftp.read(handle, piece, at, length - at, position + at, done),
          );
          if (count === 0) return;
          take(piece.subarray(at, at + count), position + at);
          received += count;
          at += count;
        }
      });
      await closeFile(handle);
      return received;
    },
    remove: async (path) => {
      await tell((done) => sftp.unlink(path, done));
    },
    close: once(async () => {
      sftp.end();
      return Promise.resolve();
    }),
  };
}

/** Runs `work` for each piece of `size` bytes, several at a time, each time with a buffer of its own. */
async function inPieces(
  size: number,
  work: (position: number, length: number, piece: Buffer) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    const piece = Buffer.alloc(Math.min(size, PIECE_BYTES));
    while (next < size) {
      const position = next;
      next += PIECE_BYTES;
      await work(position, Math.min(PIECE_BYTES, size - position), piece);
    }
  };
  await Promise.all(
    Array.from({ length: Math.ceil(size / PIECE_BYTES) })
      .slice(0, UNDER_WAY)
      .map(lane),
  );
}

function asPromise<T>(work: (done: (error: unknown, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    try {
      work((error, value) => {
        if (error === undefined || error === null) resolve(value);
        else reject(translate(error));
      });
    } catch (error) {
      // ssh2 throws synchronously once the connection is gone.
      reject(new HoldfastError('ERR_PEER_LOST', 'the SSH connection ended', { cause: error }));
    }
  });
}

function translate(error: unknown): HoldfastError {
  const message = error instanceof Error ? error.message : String(error);
  // What a server refuses has a status; without one it is the session that has ended.
  const isRefusal = error instanceof Error && 'code' in error && typeof error.code === 'number';
  if (!isRefusal) return new HoldfastError('ERR_PEER_LOST', `SFTP: ${message}`, { cause: error });
  return new HoldfastError('ERR_FORBIDDEN', `SFTP: ${message}`, { cause: error });
}
