import { connect, type Socket } from 'node:net';

const READ_BYTES = 64 * 1024;

/** A connection to a session's unix socket, read into one buffer again and again. */
export async function openPacketSocket(
  path: string,
  handlers: { readonly data: (bytes: Buffer) => void; readonly end: () => void },
): Promise<Socket> {
  for (;;) {
    const socket = connect({
      path,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (length: number, buffer: Uint8Array): boolean => {
          handlers.data(Buffer.from(buffer.buffer, buffer.byteOffset, length));
          return true;
        },
      },
    });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
    } catch (error) {
      // A listen queue of five, as some have, is full while many come at once.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
      continue;
    }
    socket.on('error', () => undefined);
    socket.on('close', () => {
      handlers.end();
    });
    return socket;
  }
}

export async function closeSocket(socket: Socket): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', resolve);
  });
  socket.destroy();
  await closed;
}
