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

/** Memory that a socket is read into again and again, as much at once as there is. `onread`: of net.Socket. */
export interface ReusedBuffer {
  readonly onread: {
    readonly buffer: Uint8Array;
    readonly callback: (length: number, buffer: Uint8Array) => boolean;
  };
  take(listener: (bytes: Uint8Array) => void): void;
}

/** For the options of a socket whose bytes `take` is to get. `bytes`: how much is read at once at most. */
export function reusedBuffer(bytes: number): ReusedBuffer {
  let take: (bytes: Uint8Array) => void = () => undefined;
  return {
    onread: {
      buffer: Buffer.allocUnsafeSlow(bytes),
      callback: (length, buffer) => {
        take(buffer.subarray(0, length));
        return true;
      },
    },
    take: (listener) => {
      take = listener;
    },
  };
}

/** What a client may send at once is little; more comes in several reads. */
const SERVER_READ_BYTES = 64 * 1024;

/** The same over a connected socket of this process, given by number; the connection closes it. */
export function framedOverFd(fd: number, options: FramedOptions): PeerConnection {
  const reused = reusedBuffer(SERVER_READ_BYTES);
  // `onread` is missing from the types of this constructor; `net.connect` documents it.
  const socketOptions = { fd, readable: true, writable: true, onread: reused.onread };
  return framedOverSocket(new Socket(socketOptions), reused, options);
}

/** The same over `socket`, which is read into `reused`. */
export function framedOverSocket(
  socket: Socket,
  reused: ReusedBuffer,
  options: FramedOptions,
): PeerConnection {
  const connection = attach(socket, options);
  reused.take((bytes) => {
    connection.receive(bytes);
  });
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
      write(bytes, written) {
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
        pendingBytes += bytes.length;
        stream.write(bytes, () => {
          pendingBytes -= bytes.length;
          written?.();
          connection.drained();
        });
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
