import { createServer, type Server, type Socket } from 'node:net';
import { wrapError } from '../../../shared/common/index.js';

/** Somebody connected. `originPort` is 0 for a unix socket. */
export interface ForwardedConnection {
  readonly socket: Socket;
  readonly originAddress: string;
  readonly originPort: number;
}

export type OnConnection = (connection: ForwardedConnection) => void;

/**
 * Listens at one address. Sockets come paused, so that nothing is read before somebody takes it.
 * @throws {HoldfastError} ERR_FORWARD_FAILED that names `what`, with the system's error as its cause.
 */
export function listen(
  options: { path: string } | { host: string; port: number; exclusive: boolean },
  what: string,
  onConnection: OnConnection,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      socket.on('error', () => undefined);
      onConnection({
        socket,
        originAddress: socket.remoteAddress ?? '',
        originPort: socket.remotePort ?? 0,
      });
    });
    server.once('error', (error) => {
      reject(wrapError(error, 'ERR_FORWARD_FAILED', `listen on ${what}`));
    });
    server.listen(options, () => {
      server.removeAllListeners('error');
      // Out of descriptors at an accept, for instance: that connection fails, the listener stays.
      server.on('error', () => undefined);
      resolve(server);
    });
  });
}
