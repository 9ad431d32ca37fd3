import { createServer, type Server, type Socket } from 'node:net';
import {
  limits,
  once,
  wrapError,
  type Closable,
  type Logger,
} from '../../../shared/common/index.js';

export interface DirectListenerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly logger: Logger;
  /** Takes over a socket. */
  readonly serve: (socket: Socket) => void;
}

/** A vanished client is found by the kernel after this, plus ten probes of a second each. */
const KEEP_ALIVE_MS = 30_000;

/** Takes SSH clients on a TCP port, for networks on which no broker is needed. */
export class DirectListener implements Closable {
  readonly #options: DirectListenerOptions;
  #server: Server | undefined;

  constructor(options: DirectListenerOptions) {
    this.#options = options;
  }

  /** The port that is listened on; 0 before. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** @throws {HoldfastError} ERR_PORT_IN_USE. */
  async start(): Promise<void> {
    const { host, port, logger, serve } = this.#options;
    const server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
      serve,
    );
    server.maxConnections = limits.SSH_DIRECT_CONNECTIONS;
    server.on('drop', () => {
      logger.warn('an ssh client was refused', {
        code: 'ERR_LIMIT',
        connections: server.maxConnections,
      });
    });
    this.#server = server;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
      });
    } catch (error) {
      this.#server = undefined;
      throw wrapError(error, 'ERR_PORT_IN_USE', `listen on ${host}:${String(port)}`);
    }
    server.on('error', (error) => {
      logger.warn('the ssh listener failed', { error });
    });
    logger.info('ssh listener', { host, port: this.port });
  }

  /** Takes nobody any more. Those that are served are not its own. */
  readonly close = once(async () => {
    const server = this.#server;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  });
}
