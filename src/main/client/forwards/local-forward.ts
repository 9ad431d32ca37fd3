import { createServer, type Server, type Socket } from 'node:net';
import type { ClientChannel } from 'ssh2';
import { HoldfastError, once, type Closable, type Logger } from '../../../shared/common/index.js';
import type { SshConnection } from '../ssh-client/index.js';
import { pipeBoth } from './pipe-both.js';
import type { ForwardEnd, ForwardSpec } from './spec.js';

/** A forward that works. */
export interface Forward extends Closable {
  readonly spec: ForwardSpec;
  /** What listens, with the port that was chosen for 0. */
  readonly listening: ForwardEnd;
}

export interface ForwardContext {
  /** The SSH connection of the moment; rejects if there is none and none can be had. */
  readonly connection: () => Promise<SshConnection>;
  readonly logger: Logger;
}

/**
 * Listens here; each connection goes through the agent to `spec.connect`.
 * @throws {HoldfastError} ERR_FORWARD_FAILED if the address cannot be listened on.
 */
export async function startLocalForward(
  spec: ForwardSpec,
  { connection, logger }: ForwardContext,
): Promise<Forward> {
  const sockets = new Set<Socket>();
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Before the channel stands, and after it has gone, a reset is nobody's news.
    socket.on('error', () => undefined);
    connection()
      .then(async (ssh) => {
        const channel = await openChannel(ssh, spec.connect, socket);
        if (socket.destroyed) channel.destroy();
        else pipeBoth(socket, channel, ssh.transport);
      })
      .catch((error: unknown) => {
        logger.warn('forwarded connection failed', { err: error });
        socket.resetAndDestroy();
      });
  };
  const servers = await listen(spec.listen, accept);
  const [first] = servers;
  return {
    spec,
    listening: first === undefined ? spec.listen : addressOf(first, spec.listen),
    close: once(async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    }),
  };
}

function openChannel(
  { client }: SshConnection,
  target: ForwardEnd,
  socket: Socket,
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | undefined, channel: ClientChannel): void => {
      if (error === undefined) resolve(channel);
      else reject(new HoldfastError('ERR_FORWARD_FAILED', error.message, { cause: error }));
    };
    if (target.kind === 'unix') {
      client.openssh_forwardOutStreamLocal(target.path, done);
    } else {
      const from = socket.remoteAddress ?? '127.0.0.1';
      client.forwardOut(from, socket.remotePort ?? 0, target.host, target.port, done);
    }
  });
}

/** `localhost` is both loopback addresses, as for ssh; a machine without IPv6 has one of them. */
async function listen(end: ForwardEnd, accept: (socket: Socket) => void): Promise<Server[]> {
  if (end.kind === 'unix') return [await listenOn({ path: end.path }, accept)];
  if (end.host !== 'localhost') {
    const host = end.host === '' ? {} : { host: end.host };
    return [await listenOn({ ...host, port: end.port }, accept)];
  }
  const first = await listenOn({ host: '127.0.0.1', port: end.port }, accept);
  const address = addressOf(first, end);
  const port = address.kind === 'tcp' ? address.port : end.port;
  const second = await listenOn({ host: '::1', port }, accept).catch(() => undefined);
  return second === undefined ? [first] : [first, second];
}

function listenOn(
  where: { readonly host?: string; readonly port: number } | { readonly path: string },
  accept: (socket: Socket) => void,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
    server.once('error', (error: NodeJS.ErrnoException) => {
      const name = 'path' in where ? where.path : `port ${String(where.port)}`;
      const why = error.code === 'EADDRINUSE' ? 'is taken' : error.message;
      reject(new HoldfastError('ERR_FORWARD_FAILED', `${name} ${why}`, { cause: error }));
    });
    server.listen(where, () => {
      resolve(server);
    });
  });
}

function addressOf(server: Server, end: ForwardEnd): ForwardEnd {
  const address = server.address();
  if (end.kind === 'unix' || typeof address !== 'object' || address === null) return end;
  return {
    kind: 'tcp',
    host: end.host === 'localhost' ? '127.0.0.1' : end.host,
    port: address.port,
  };
}
