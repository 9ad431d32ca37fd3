import type { Socket } from 'node:net';
import { closeSocket, openPacketSocket } from './packet-socket.js';
import type { Session, SessionHandlers } from './types.js';

/** A packet to a dtach master (dtach.h): type, length, then 8 bytes. */
const PACKET_BYTES = 10;
const DATA_BYTES = 8;
const PUSH = 0;
const ATTACH = 1;

/** Attaches to a dtach master over its socket, without the terminal that its own client needs. */
export async function openDtach(path: string, handlers: SessionHandlers): Promise<Session> {
  const socket = await attachDtach(path, handlers);
  return {
    write: (text) => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += DATA_BYTES) {
        socket.write(packet(PUSH, bytes.subarray(at, at + DATA_BYTES)));
      }
    },
    close: () => closeSocket(socket),
  };
}

/** The same for one that only reads. */
export async function attachDtach(
  path: string,
  handlers: Pick<SessionHandlers, 'data' | 'end'>,
): Promise<Socket> {
  const socket = await openPacketSocket(path, {
    data: handlers.data,
    end: () => {
      handlers.end('dtach ended');
    },
  });
  socket.write(packet(ATTACH, Buffer.alloc(0)));
  return socket;
}

function packet(type: number, data: Buffer): Buffer {
  const bytes = Buffer.alloc(PACKET_BYTES);
  bytes[0] = type;
  bytes[1] = data.length;
  data.copy(bytes, 2);
  return bytes;
}
