import type { Socket } from 'node:net';
import { closeSocket, openPacketSocket } from './packet-socket.js';
import type { Session, SessionHandlers } from './types.js';

/** A packet of abduco 0.6, either way: type and length as 32-bit numbers of the machine, then the bytes. */
const HEADER_BYTES = 8;
const MOST_BYTES = 4096 - HEADER_BYTES;
const CONTENT = 0;
const ATTACH = 1;
const RESIZE = 3;
const EXIT = 4;

/** Attaches to an abduco session over its socket, without the terminal that its own client needs. */
export async function openAbduco(path: string, handlers: SessionHandlers): Promise<Session> {
  const socket = await attachAbduco(path, handlers);
  return {
    write: (text) => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += MOST_BYTES) {
        socket.write(packet(CONTENT, bytes.subarray(at, at + MOST_BYTES)));
      }
    },
    close: () => closeSocket(socket),
  };
}

/** The same for one that only reads. It acknowledges the end, without which the server would stay. */
export async function attachAbduco(
  path: string,
  handlers: Pick<SessionHandlers, 'data' | 'end'>,
): Promise<Socket> {
  const header = Buffer.alloc(HEADER_BYTES);
  let headerBytes = 0;
  let type = CONTENT;
  let left = 0;
  const socket = await openPacketSocket(path, {
    data: (bytes) => {
      let at = 0;
      while (at < bytes.length) {
        if (left > 0) {
          const part = Math.min(left, bytes.length - at);
          if (type === CONTENT) handlers.data(bytes.subarray(at, at + part));
          left -= part;
          at += part;
          continue;
        }
        const part = Math.min(HEADER_BYTES - headerBytes, bytes.length - at);
        bytes.copy(header, headerBytes, at, at + part);
        headerBytes += part;
        at += part;
        if (headerBytes < HEADER_BYTES) return;
        headerBytes = 0;
        type = header.readUInt32LE(0);
        left = header.readUInt32LE(4);
        if (type === EXIT) socket.write(packet(EXIT, Buffer.alloc(0)));
      }
    },
    end: () => {
      handlers.end('abduco ended');
    },
  });
  const size = Buffer.alloc(4);
  size.writeUInt16LE(24, 0);
  size.writeUInt16LE(80, 2);
  socket.write(Buffer.concat([packet(ATTACH, Buffer.alloc(4)), packet(RESIZE, size)]));
  return socket;
}

function packet(type: number, data: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(type, 0);
  header.writeUInt32LE(data.length, 4);
  return Buffer.concat([header, data]);
}
