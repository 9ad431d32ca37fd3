import type { Duplex } from 'node:stream';
import { TransportGate } from '../ssh-client/index.js';

/**
 * Connects a socket and an SSH channel both ways. The end of one direction is passed on alone, since
 * many protocols go on in the other; an error of either ends both.
 * @param transport The stream under the SSH connection.
 */
export function pipeBoth(socket: Duplex, channel: Duplex, transport: Duplex): void {
  const destroy = (): void => {
    socket.destroy();
    channel.destroy();
  };
  socket.on('error', destroy);
  channel.on('error', destroy);
  socket.on('close', () => {
    // After a whole exchange the last of it may still wait for the channel's window: only a socket that
    // broke off takes the channel with it. The agent closes the channel once both sides have ended.
    if (!socket.readableEnded || !socket.writableFinished) channel.destroy();
  });
  channel.on('close', () => {
    // What the channel brought is still on its way to the socket.
    if (!socket.writableEnded) socket.end();
  });
  socket.pipe(new TransportGate(transport)).pipe(channel);
  channel.pipe(socket);
}
