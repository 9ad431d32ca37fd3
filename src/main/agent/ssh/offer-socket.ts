import type { Socket } from 'node:net';
import { splice } from '../forwarding/index.js';
import type { SshChannel } from './channel.js';

/**
 * Joins a connection that came to a listener to a channel which `open` makes to the client. Where the client refuses the
 * channel, the socket is ended, after `onRefused` was told why.
 */
export function offerSocket(
  socket: Socket,
  open: () => Promise<SshChannel>,
  onRefused: (error: unknown) => void = () => undefined,
): void {
  open().then(
    (channel) => splice(channel, socket),
    (error: unknown) => {
      onRefused(error);
      socket.destroy();
    },
  );
}
