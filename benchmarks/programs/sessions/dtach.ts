import { connect } from 'node:net';
import type { Session, SessionHandlers } from './types.js';

/** A packet to a dtach master (dtach.h): type, length, then 8 bytes. */
const PACKET_BYTES = 10;
const DATA_BYTES = 8;
const PUSH = 0;
const ATTACH = 1;
const READ_BYTES = 64 * 1024;

/** Attaches to a dtach master over its socket, without the terminal that its own client needs. */
export async function openDtach(socketPath: string, handlers: SessionHandlers): Promise<Session> {
  const socket = connect({
    path: socketPath,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (length: number, buffer: Uint8Array): boolean => {
        handlers.data(buffer.subarray(0, length));
        return true;
      },
    },
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    handlers.end('dtach ended');
  });
  const packet = (type: number, data: Buffer): Buffer => {
    const bytes = Buffer.alloc(PACKET_BYTES);
    bytes[0] = type;
    bytes[1] = data.length;
    data.copy(bytes, 2);
    return bytes;
  };
  socket.write(packet(ATTACH, Buffer.alloc(0)));
  return {
    write: (text) => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += DATA_BYTES) {
        socket.write(packet(PUSH, bytes.subarray(at, at + DATA_BYTES)));
      }
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => socket.once('close', resolve));
      socket.destroy();
      await closed;
    },
  };
}
