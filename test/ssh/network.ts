/** Servers on loopback that the checks of forwarding need. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { waitFor } from '../support/index.js';

export interface EchoServer {
  readonly port: number;
  /** Connections that stand now. */
  readonly open: number;
  close(): Promise<void>;
}

/** Sends back what it gets, and its end after the client's. */
export async function echoServer(path?: string): Promise<EchoServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.pipe(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    get open() {
      return sockets.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Sends `data`, ends, and gives all that comes back up to the other side's end. */
export function exchange(target: number | string, data: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const where = typeof target === 'string' ? { path: target } : { port: target };
    const socket = connect({ ...where, host: '127.0.0.1', allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.setTimeout(30_000, () => socket.destroy(new Error('nothing came for 30 s')));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks)));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.end(data);
  });
}

/** Whether what is sent there comes back whole, from several connections at once. */
export async function assertEchoes(
  target: number | string,
  { connections = 4, bytes = 262_144 } = {},
): Promise<void> {
  // The first only finds out when the forward stands.
  await waitFor(() => exchange(target, Buffer.from('up')).then(isUp, () => false), {
    what: `an echo through ${String(target)}`,
    timeoutMs: 60_000,
    intervalMs: 100,
  });
  const sent = Array.from({ length: connections }, () => randomBytes(bytes));
  const received = await Promise.all(sent.map((data) => exchange(target, data)));
  for (const [index, data] of sent.entries()) {
    const back = received[index] ?? Buffer.alloc(0);
    if (back.equals(data)) continue;
    throw new Error(
      `sent ${String(data.length)} bytes, ${String(back.length)} came back (${sha256(back).slice(0, 8)})`,
    );
  }
}

function isUp(echoed: Buffer): boolean {
  return echoed.toString() === 'up';
}

export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** A listening socket of this machine. */
export interface Listener {
  readonly port: number;
  /** Tells it from another that has the same port later. */
  readonly inode: number;
}

/** Who listens on IPv4 now (proc(5), /proc/net/tcp; the state 0A is LISTEN). */
export function listeners(): Listener[] {
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  return rows.flatMap((row) => {
    const [, local = '', , state, , , , , , inode] = row.trim().split(/\s+/);
    if (state !== '0A') return [];
    return [{ port: Number.parseInt(local.split(':')[1] ?? '', 16), inode: Number(inode) }];
  });
}

/** Whether somebody listens there. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
