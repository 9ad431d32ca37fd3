import { WebSocket } from 'ws';
import { HoldfastError, limits } from '../../../common/index.js';
import type { PeerConnection } from '../types.js';
import type { FramedOptions } from './over-duplex.js';
import { framedOverWebSocket } from './over-websocket.js';

export interface DialFramedOptions extends FramedOptions {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A connection over a WebSocket that is being dialled. */
export interface FramedDial {
  /** @throws {HoldfastError} ERR_BROKER_UNREACHABLE, ERR_CLOSED if abandoned. */
  readonly connection: Promise<PeerConnection>;
  /** Gives up; does nothing once the connection stands. */
  abandon(): void;
}

/** Dials a WebSocket at whose other end somebody speaks the framed protocol: the broker's relay. */
export function dialFramedWebSocket({
  url,
  headers = {},
  ...options
}: DialFramedOptions): FramedDial {
  const socket = new WebSocket(url, {
    headers: { ...headers },
    perMessageDeflate: false,
    handshakeTimeout: limits.PEER_AUTH_MS,
    maxPayload: limits.MESSAGE_BYTES * 2,
  });
  let isAbandoned = false;
  const connection = new Promise<PeerConnection>((resolve, reject) => {
    socket.once('open', () => {
      resolve(framedOverWebSocket(socket, options));
    });
    socket.on('error', (error) => {
      reject(
        isAbandoned
          ? new HoldfastError('ERR_CLOSED', 'the connection was given up')
          : new HoldfastError('ERR_BROKER_UNREACHABLE', `relay: ${error.message}`, {
              cause: error,
            }),
      );
    });
  });
  return {
    connection,
    abandon: () => {
      isAbandoned = true;
      if (socket.readyState === socket.CONNECTING) socket.terminate();
    },
  };
}
