import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Joins a channel and a socket, each with back-pressure and half-close: the end of one direction is
 * passed on while the other still flows. Resolves when both are closed; neither outlives the other.
 */
export function splice(channel: Duplex, socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    const closed = (): void => {
      open -= 1;
      if (open === 0) resolve();
    };
    channel.pipe(socket);
    socket.pipe(channel);
    // An error is followed by 'close'; a reset on one side becomes the end of the other.
    channel.on('error', () => undefined);
    socket.on('error', () => undefined);
    channel.once('close', () => {
      // What the client sent last is in the socket already and still goes out, unless it was cut off.
      if (socket.writableEnded) socket.destroySoon();
      else socket.destroy();
      closed();
    });
    socket.once('close', (failed) => {
      if (failed || !channel.writableEnded) channel.destroy();
      closed();
    });
    // The client closed without waiting for our half: nobody reads what the socket still has.
    channel.once('remote-close', () => {
      if (channel.readableEnded) socket.destroySoon();
      else channel.once('end', () => socket.destroySoon());
    });
  });
}
