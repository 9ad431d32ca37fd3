import type { RawData, WebSocket } from 'ws';
import { FramedConnection } from '../../../common/framing/index.js';
import type { PeerConnection } from '../types.js';
import type { FramedOptions } from './over-duplex.js';

/** A relay limits the size of a message, and the largest frame would just be over it. */
const PIECE_BYTES = 128 * 1024;

/**
 * Speaks the framed protocol over an open WebSocket of `ws`, which belongs to the connection from now
 * on. A frame per binary message on the way out unless it is large; on the way in any cut will do.
 */
export function framedOverWebSocket(socket: WebSocket, options: FramedOptions): PeerConnection {
  let pendingBytes = 0;
  const connection: FramedConnection = new FramedConnection({
    ...options,
    transport: {
      write(bytes, written) {
        if (socket.readyState !== socket.OPEN) return;
        pendingBytes += bytes.length;
        let at = 0;
        for (; at + PIECE_BYTES < bytes.length; at += PIECE_BYTES)
          socket.send(bytes.subarray(at, at + PIECE_BYTES));
        socket.send(bytes.subarray(at), () => {
          pendingBytes -= bytes.length;
          written?.();
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
