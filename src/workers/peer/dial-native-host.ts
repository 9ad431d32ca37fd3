import { connect } from 'node:net';
import { deferred, HoldfastError } from '../../shared/common/index.js';
import {
  framedOverSocket,
  reusedBuffer,
  type FramedDial,
  type PeerConnection,
  type PeerSource,
} from '../../shared/node/peer/index.js';

/** As much as the host writes at once. */
const READ_BYTES = 256 * 1024;

/** Takes a connection of the native host over: its channels come framed, and all the rest is the host's business. */
export function dialNativeHost(
  { path, token, binding }: Extract<PeerSource, { kind: 'native' }>,
  heartbeatMs: number | undefined,
): FramedDial {
  const standing = deferred<PeerConnection>();
  const reused = reusedBuffer(READ_BYTES);
  const socket = connect({ path, onread: reused.onread });
  const fail = (): void => {
    standing.reject(new HoldfastError('ERR_WORKER_LOST', 'the native host is gone'));
  };
  socket.once('error', fail);
  socket.once('close', fail);
  socket.once('connect', () => {
    socket.write(token);
    const connection = framedOverSocket(socket, reused, { role: 'server', heartbeatMs });
    standing.resolve({
      engine: 'native',
      closed: connection.closed,
      binding: () => binding,
      openChannel: (options) => connection.openChannel(options),
      onChannel: (handler) => {
        connection.onChannel(handler);
      },
      probe: () => {
        connection.probe();
      },
      cut: () => {
        socket.destroy();
      },
      close: () => connection.close(),
    });
  });
  return {
    connection: standing.promise,
    abandon: () => {
      socket.destroy();
    },
  };
}
