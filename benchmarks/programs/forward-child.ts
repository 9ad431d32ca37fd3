/** Program: one end of a forwarded TCP connection: sends bytes to whoever connects, or connects and counts. */
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { serveProgram } from '../harness/index.js';

const CHUNK = Buffer.alloc(64 * 1024, 'holdfast');
let server: Server | undefined;

const methods = {
  /** Sends so many bytes to each that connects. @returns the port. */
  serve: async ({ bytes }: { readonly bytes: number }): Promise<number> => {
    const started = createServer((socket) => {
      let left = bytes;
      const send = (): void => {
        while (left > 0) {
          const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
          left -= chunk.length;
          if (!socket.write(chunk)) return;
        }
        socket.end();
      };
      socket.on('drain', send);
      socket.on('error', () => socket.destroy());
      // Only whoever fetches says so: to find out whether a port answers is not to be answered with a flood.
      socket.once('data', send);
    });
    server = started;
    started.listen(0, '127.0.0.1');
    await once(started, 'listening');
    return (started.address() as AddressInfo).port;
  },

  /** @returns how long it took to get so many bytes from that port, in ms. */
  fetch: async ({
    port,
    bytes,
  }: {
    readonly port: number;
    readonly bytes: number;
  }): Promise<number> => {
    const start = performance.now();
    const socket = connect(port, '127.0.0.1');
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.write('go');
    await once(socket, 'end');
    socket.destroy();
    if (received !== bytes) {
      throw new Error(`${String(received)} of ${String(bytes)} bytes came over the forward`);
    }
    return performance.now() - start;
  },
};

export type ForwardMethods = typeof methods;

serveProgram(methods, async () => {
  server?.close();
});
