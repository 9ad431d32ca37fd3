import { WebSocket } from 'ws';
import { assertNever, HoldfastError, limits, type Logger } from '../../shared/common/index.js';
import type { IceCandidate } from '../../shared/common/wire/index.js';
import {
  framedOverFd,
  framedOverWebSocket,
  type PeerConnection,
  type PeerTask,
} from '../../shared/node/peer/index.js';

/** What a connection that is being set up says to the other end. */
export interface EstablishOptions {
  readonly logger: Logger;
  readonly answer: (sdp: string) => void;
  readonly candidate: (candidate: IceCandidate) => void;
}

/** A connection on its way. */
export interface Establishing {
  /** Rejects if it cannot be set up in time, or was abandoned. */
  readonly connection: Promise<PeerConnection>;
  addCandidate(candidate: IceCandidate): void;
  /** Gives up; does nothing once the connection stands. */
  abandon(): void;
  /** Whether a rejection that nobody took came from it. Absent: this kind never leaves any. */
  owns?(reason: unknown): boolean;
}

/** Sets up the connection that `task` is about. */
export function establish(task: PeerTask, options: EstablishOptions): Establishing {
  const { source } = task;
  switch (source.kind) {
    case 'socket':
      return {
        connection: Promise.resolve(
          framedOverFd(source.fd, { role: 'server', heartbeatMs: task.heartbeatMs }),
        ),
        addCandidate: () => undefined,
        abandon: () => undefined,
      };
    case 'relay':
      return establishRelay(source.url, source.headers, task.heartbeatMs);
    case 'webrtc':
      void options;
      throw new HoldfastError('ERR_UNSUPPORTED', 'not built yet');
    default:
      return assertNever(source);
  }
}

/** Dials the broker, which pairs this WebSocket with the client's. */
function establishRelay(
  url: string,
  headers: Readonly<Record<string, string>>,
  heartbeatMs: number | undefined,
): Establishing {
  const socket = new WebSocket(url, {
    headers,
    perMessageDeflate: false,
    handshakeTimeout: limits.PEER_AUTH_MS,
    maxPayload: limits.MESSAGE_BYTES * 2,
  });
  const connection = new Promise<PeerConnection>((resolve, reject) => {
    socket.once('open', () => {
      resolve(framedOverWebSocket(socket, { role: 'server', heartbeatMs }));
    });
    socket.on('error', (error) => {
      reject(
        new HoldfastError('ERR_BROKER_UNREACHABLE', `relay: ${error.message}`, { cause: error }),
      );
    });
  });
  return {
    connection,
    addCandidate: () => undefined,
    abandon: () => {
      if (socket.readyState === socket.CONNECTING) socket.terminate();
    },
  };
}
