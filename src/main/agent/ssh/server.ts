import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2, { type Connection, type ServerConfig } from 'ssh2';
import { limits, once, wrapError, type ConnectionId } from '../../../shared/common/index.js';
import { Permissions } from '../../../shared/common/wire/index.js';
import { ChannelDuplex, PortChannel } from '../../../shared/node/ports/index.js';
import type { IncomingChannel, VerifiedPeer } from '../peers/types.js';
import type { SshConnectionInfo } from '../process/index.js';
import { createAuthenticate } from './auth.js';
import { SshConnection, type ConnectionOptions } from './connection.js';
import { assertInternals } from './internals.js';
import type { SshServer, SshServerOptions } from './types.js';

/**
 * Modern algorithms only: everything here is authenticated encryption or encrypt-then-MAC, but for the last
 * two MACs, without which libssh2 before 1.11 (curl, PHP, libgit2) finds none. Compression is off, since
 * 30 kB can inflate to 30 MB before anybody has authenticated. Each connection offers the post-quantum key
 * exchange before those that ssh2 knows.
 */
const ALGORITHMS: NonNullable<ServerConfig['algorithms']> = {
  kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org'],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes256-ctr',
    'aes128-ctr',
  ],
  hmac: [
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-512-etm@openssh.com',
    'hmac-sha2-256',
    'hmac-sha2-512',
  ],
  compress: ['none'],
};

/**
 * Peers are reached through data channels, which have no addresses that mean anything, and none that a
 * peer states may be trusted. Programs only look whether the variables are there.
 */
const NO_ADDRESS: SshConnectionInfo = {
  clientAddress: '127.0.0.1',
  clientPort: 0,
  serverAddress: '127.0.0.1',
  serverPort: 22,
};

/** The longest interval a timer can have: the peer connection under us has its own heartbeat. */
const NEVER_MS = 2 ** 31 - 1;

/**
 * Makes the SSH server of an agent. It opens nothing by itself.
 * @throws {HoldfastError} ERR_CONFIG for a host key or authorized key that cannot be read,
 *   ERR_UNSUPPORTED if another ssh2 is installed than the one this is written for.
 */
export function createSshServer(options: SshServerOptions): SshServer {
  assertInternals();
  const authenticate = createAuthenticate(options.authorizedKeys);
  const connections = new Set<SshConnection>();
  const direct = new Set<SshConnection>();
  const startups = (): number => [...direct].filter(({ authenticated }) => !authenticated).length;
  const byStream = new WeakMap<Duplex, SshConnection>();
  const server = createInner(options.hostKey, (client) => {
    byStream.get((client as unknown as { _sock: Duplex })._sock)?.attach(client);
  });
  let closing = false;

  const accept = (from: ConnectionOptions): SshConnection => {
    const connection = new SshConnection(from);
    byStream.set(from.stream, connection);
    connections.add(connection);
    void connection.closed.then(() => connections.delete(connection));
    server.injectSocket(from.stream);
    return connection;
  };

  const serve = ({ peer, handle }: IncomingChannel): void => {
    const logger = options.logger.child({ peer: peer.connectionId, subject: peer.subject });
    const channel = new PortChannel(handle);
    const stream = new ChannelDuplex(channel, { maxQueuedBytes: limits.SSH_CONNECTION_BYTES });
    if (closing || !mayConnect(peer.permissions)) {
      logger.info('an ssh channel was refused', { closing });
      stream.on('error', () => undefined);
      channel.close({
        code: closing ? 'ERR_CLOSED' : 'ERR_FORBIDDEN',
        message: closing ? 'the agent is closing' : 'the ticket does not allow ssh',
      });
      stream.destroy();
      return;
    }
    accept({ server: options, logger, peer, stream, authenticate, address: NO_ADDRESS });
  };

  const serveDirect = (socket: Socket): void => {
    const peer = directPeer(socket);
    const address = addressOf(socket);
    const logger = options.logger.child({ peer: peer.connectionId, from: address.clientAddress });
    if (closing || options.authorizedKeys === undefined || startups() >= limits.SSH_STARTUPS) {
      logger.warn('an ssh client was refused', { closing, startups: startups() });
      socket.destroy();
      return;
    }
    logger.info('an ssh client came by tcp');
    const connection = accept({
      ...{ server: options, logger, peer, authenticate, address },
      stream: socket,
    });
    direct.add(connection);
    void connection.closed.then(() => direct.delete(connection));
  };

  return {
    serve,
    serveDirect,
    get connections() {
      return connections.size;
    },
    close: once(async () => {
      closing = true;
      await Promise.all([...connections].map((connection) => connection.close()));
    }),
  };
}

/** Whom a client that came by TCP stands for: nobody else is let in by an authorized key. */
function directPeer(socket: Socket): VerifiedPeer {
  return {
    connectionId: randomUUID() as ConnectionId,
    subject: 'ssh',
    permissions: new Permissions(['owner']),
    engine: 'framed',
    disconnect: () => {
      socket.destroy();
    },
  };
}

function addressOf(socket: Socket): SshConnectionInfo {
  return {
    clientAddress: plainAddress(socket.remoteAddress),
    clientPort: socket.remotePort ?? 0,
    serverAddress: plainAddress(socket.localAddress),
    serverPort: socket.localPort ?? 0,
  };
}

/** An IPv4 address as such also where it came to an IPv6 socket, as OpenSSH's sshd shows it. */
function plainAddress(address = ''): string {
  return address.replace(/^::ffff:(?=[0-9.]+$)/, '');
}

function createInner(hostKey: string, onClient: (client: Connection) => void): Injectable {
  try {
    return new ssh2.Server(
      {
        hostKeys: [hostKey],
        ident: 'Holdfast',
        algorithms: ALGORITHMS,
        keepaliveInterval: NEVER_MS,
      },
      onClient,
    );
  } catch (error) {
    throw wrapError(error, 'ERR_CONFIG', 'read the host key');
  }
}

/** `injectSocket` takes any Duplex, but its types know of sockets only. */
interface Injectable {
  injectSocket(stream: Duplex): void;
}

function mayConnect(permissions: IncomingChannel['peer']['permissions']): boolean {
  return permissions.allows('ssh') || permissions.allows('sftp') || permissions.allows('forward');
}
