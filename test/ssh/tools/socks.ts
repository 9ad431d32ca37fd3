import { connect, type Socket } from 'node:net';

/** Connects to a port of loopback through a SOCKS5 server (RFC 1928), as an editor's tunnel does. */
export function connectBySocks(socksPort: number, targetPort: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: socksPort, host: '127.0.0.1', allowHalfOpen: true });
    let received = Buffer.alloc(0);
    socket.once('connect', () => {
      // Version 5, one method: none.
      socket.write(Buffer.from([5, 1, 0]));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the SOCKS port closed')));
    const take = (data: Buffer): void => {
      received = Buffer.concat([received, data]);
      if (received.length === 2) {
        const port = [targetPort >> 8, targetPort & 0xff];
        // CONNECT to an IPv4 address.
        socket.write(Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, ...port]));
      } else if (received.length >= 12) {
        socket.off('data', take);
        if (received[3] === 0) resolve(socket);
        else reject(new Error(`SOCKS reply ${String(received[3])}`));
      }
    };
    socket.on('data', take);
  });
}
