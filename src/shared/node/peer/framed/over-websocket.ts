import type { RawData, WebSocket } from 'ws';
import { FramedConnection } from '../../../common/framing/index.js';
import type { PeerConnection } from '../types.js';
import type { FramedOptions } from './over-duplex.js';

/**
 * Speaks the framed protocol over an open WebSocket of `ws`, which belongs to the connection from now
 * on. One frame per binary message on the way out; on the way in any cut will do.
 */
export function framedOverWebSocket(socket: WebSocket, options: FramedOptions): PeerConnection {
  let pendingBytes = 0;
  const connection: FramedConnection = new FramedConnection({
    ...options,
    transport: {
      write(header, payload) {
        if (socket.readyState !== socket.OPEN) return;
        const bytes = header.length + payload.length;
        pendingBytes += bytes;
        socket.send(Buffer.concat([header, payload]), () => {
          pendingBytes -= bytes;
          connection.drained();
        });
      },
      get pendingBytes() {
        return pendingBytes;
      },
      end() {
        socket.close(1000);
      },
      destroy() {
        socket.terminate();
      },
    },
  });
  socket.on('message', (data: RawData) => {
    if (Array.isArray(data)) for (const part of data) connection.receive(part);
    else connection.receive(data instanceof ArrayBuffer ? new Uint8Array(data) : data);
  });
  socket.on('error', (error: Error) => {
    connection.transportEnded({ code: 'ERR_PEER_LOST', message: error.message });
  });
  socket.on('close', () => {
    connection.transportEnded();
  });
  connection.start();
  return connection;
}
