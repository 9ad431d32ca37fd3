import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import {
  HoldfastError,
  once,
  wrapError,
  type Closable,
  type Logger,
} from '../../../shared/common/index.js';
import { duplicateFd, peerUserId } from '../../../shared/node/system/index.js';

export interface LocalListenerOptions {
  /** In the 0700 state folder, whose lock this process holds. */
  readonly path: string;
  readonly logger: Logger;
  /** Gets a connected socket of a process of this user; the descriptor is the callee's to close. */
  readonly onConnection: (fd: number) => void;
}

/** `sun_path` holds 108 bytes with its end mark, on macOS 104. */
const MAX_PATH_BYTES = 103;

/** Takes connections on the unix socket of the state folder, from processes of the same user only. */
export class LocalListener implements Closable {
  readonly #options: LocalListenerOptions;
  #server: Server | undefined;

  constructor(options: LocalListenerOptions) {
    this.#options = options;
  }

  /** @throws {HoldfastError} ERR_STATE_DIR. */
  async start(): Promise<void> {
    const { path } = this.#options;
    if (Buffer.byteLength(path) > MAX_PATH_BYTES)
      throw new HoldfastError('ERR_STATE_DIR', `the path of the local socket is too long: ${path}`);
    // Paused from the start, so that not a byte is read here before the worker has its duplicate.
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      this.#accept(socket);
    });
    this.#server = server;
    try {
      // Whatever is there was left by a process that held the lock before us.
      await rm(path, { force: true });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(path, resolve);
      });
      await chmod(path, 0o600);
    } catch (error) {
      throw wrapError(error, 'ERR_STATE_DIR', 'local socket');
    }
    server.on('error', (error) => {
      this.#options.logger.warn('local socket failed', { error });
    });
  }

  readonly close = once(async () => {
    const server = this.#server;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  });

  #accept(socket: Socket): void {
    const { logger, onConnection } = this.#options;
    try {
      const handle = (socket as unknown as { _handle?: { fd?: number } })._handle;
      const fd = handle?.fd ?? -1;
      if (fd < 0) throw new HoldfastError('ERR_UNSUPPORTED', 'this socket has no descriptor');
      const uid = peerUserId(fd);
      const isOurs = uid === undefined || uid === 0 || uid === process.getuid?.();
      // Where the kernel does not tell, the mode of the folder alone keeps others out.
      if (isOurs) onConnection(duplicateFd(fd));
      else logger.warn('a process of another user tried the local socket', { uid });
    } catch (error) {
      logger.warn('a local connection could not be taken', { error });
    }
    // Closes our descriptor only; the duplicate lives on in the worker.
    socket.destroy();
  }
}
