import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../../common/index.js';
import { FramedConnection } from '../../../common/framing/index.js';
import type { PeerConnection } from '../types.js';

export interface FramedOptions {
  /** Who dialled is `client`. */
  readonly role: 'client' | 'server';
  readonly clock?: Clock | undefined;
  /** For tests of the heartbeat. */
  readonly heartbeatMs?: number | undefined;
}

/** Speaks the framed protocol over `stream`, which belongs to the connection from now on. */
export function framedOverDuplex(stream: Duplex, options: FramedOptions): PeerConnection {
  const connection = attach(stream, options);
  stream.on('data', (chunk: Buffer) => {
    connection.receive(chunk);
  });
  connection.start();
  return connection;
}

/** Size of the one buffer that a socket of ours is read into. */
const READ_BUFFER_BYTES = 64 * 1024;

/**
 * The same over a connected socket of this process, given by number; the connection closes it. Reads
 * into one buffer again and again, since the decoder copies what it keeps.
 */
export function framedOverFd(fd: number, options: FramedOptions): PeerConnection {
  // `onread` is missing from the types of this constructor; `net.connect` documents it.
  const socketOptions = {
    fd,
    readable: true,
    writable: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
      callback: (length: number, buffer: Uint8Array): boolean => {
        connection.receive(buffer.subarray(0, length));
        return true;
      },
    },
  };
  const socket = new Socket(socketOptions);
  const connection = attach(socket, options);
  socket.resume();
  connection.start();
  return connection;
}

function attach(stream: Duplex, options: FramedOptions): FramedConnection {
  let pendingBytes = 0;
  let corked = false;
  const connection: FramedConnection = new FramedConnection({
    ...options,
    transport: {
      write(header, payload) {
        if (stream.writableEnded || stream.destroyed) return;
        // One system call for all that is written in this turn.
        if (!corked) {
          corked = true;
          stream.cork();
          process.nextTick(() => {
            corked = false;
            stream.uncork();
          });
        }
        const bytes = header.length + payload.length;
        pendingBytes += bytes;
        if (payload.length === 0) {
          stream.write(header, written);
        } else {
          stream.write(header);
          stream.write(payload, written);
        }
        function written(): void {
          pendingBytes -= bytes;
          connection.drained();
        }
      },
      get pendingBytes() {
        return pendingBytes;
      },
      end() {
        stream.end();
      },
      destroy() {
        stream.destroy();
      },
    },
  });
  // A stream that allows a half-open state would otherwise stay open for our half.
  stream.on('end', () => {
    stream.end();
  });
  stream.on('error', (error: Error) => {
    connection.transportEnded({ code: 'ERR_PEER_LOST', message: error.message });
  });
  stream.on('close', () => {
    connection.transportEnded();
  });
  return connection;
}
