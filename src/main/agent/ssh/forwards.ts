import type { Socket } from 'node:net';
import { HoldfastError, type Logger } from '../../../shared/common/index.js';
import type { Permissions } from '../../../shared/common/wire/index.js';
import {
  allowSocketPath,
  allowTarget,
  connectSocket,
  ForwardListeners,
  listenAddresses,
  splice,
  type ForwardingOptions,
} from '../forwarding/index.js';
import type { SshChannel } from './channel.js';
import type { ChannelTable } from './channels.js';
import type { Ssh2Protocol } from './internals.js';
import { offerSocket } from './offer-socket.js';
import type { Reply } from './replies.js';

export interface ForwardsOptions {
  readonly logger: Logger;
  readonly permissions: Permissions;
  readonly policy: ForwardingOptions;
  readonly protocol: Ssh2Protocol;
  readonly channels: ChannelTable;
  /** Aborts when the connection ends. */
  readonly signal: AbortSignal;
}

/** Accepts or refuses the channel that the client asked for. */
export interface OpenAnswer {
  accept(): SshChannel;
  refuse(error: unknown): void;
}

/** Both directions of forwarding for one SSH connection (RFC 4254 section 7, OpenSSH PROTOCOL 2.4). */
export class Forwards {
  readonly #options: ForwardsOptions;
  readonly #listeners = new ForwardListeners();

  constructor(options: ForwardsOptions) {
    this.#options = options;
  }

  /** `direct-tcpip`: the client wants to reach a host from here. */
  async direct(host: string, port: number, answer: OpenAnswer): Promise<void> {
    const { logger, permissions, policy, signal } = this.#options;
    logger.debug('forward to', { host, port });
    try {
      const target = await allowTarget({ host, port }, permissions, policy);
      const options = { host: target.address, port };
      const socket = await connectSocket(options, `${host}:${port}`, signal);
      await splice(answer.accept(), socket);
    } catch (error) {
      answer.refuse(error);
    }
  }

  /** `direct-streamlocal@openssh.com`: the client wants to reach a unix socket here. */
  async directSocket(path: string, answer: OpenAnswer): Promise<void> {
    const { logger, permissions, policy, signal } = this.#options;
    logger.debug('forward to socket', { path });
    try {
      allowSocketPath(path, permissions, policy);
      const socket = await connectSocket({ path }, path, signal);
      await splice(answer.accept(), socket);
    } catch (error) {
      answer.refuse(error);
    }
  }

  /** `tcpip-forward`: connections to a port here are to reach the client. */
  async listen(host: string, port: number, reply: Reply): Promise<void> {
    const { logger, permissions, policy, protocol, channels } = this.#options;
    try {
      const addresses = listenAddresses(host, port, permissions, policy);
      const bound = await this.#listeners.listenTcp(host, port, addresses, (connection) => {
        const options = {
          boundAddr: host,
          boundPort: bound,
          remoteAddr: connection.originAddress,
          remotePort: connection.originPort,
        };
        this.#offer(connection.socket, () =>
          channels.open((id, window, packet) => {
            protocol.forwardedTcpip(id, window, packet, options);
          }),
        );
      });
      logger.debug('forward from', { host, port: bound });
      // RFC 4254 section 7.1: the port is told only to whom let us choose it.
      reply.succeed(port === 0 ? portBytes(bound) : undefined);
    } catch (error) {
      logger.info('a remote forward was refused', { host, port, error });
      reply.fail();
    }
  }

  /** `streamlocal-forward@openssh.com`. */
  async listenSocket(path: string, reply: Reply): Promise<void> {
    const { logger, permissions, policy, protocol, channels } = this.#options;
    try {
      allowSocketPath(path, permissions, policy);
      await this.#listeners.listenSocket(path, ({ socket }) => {
        this.#offer(socket, () =>
          channels.open((id, window, packet) => {
            protocol.openssh_forwardedStreamLocal(id, window, packet, { socketPath: path });
          }),
        );
      });
      logger.debug('forward from socket', { path });
      reply.succeed();
    } catch (error) {
      logger.info('a remote forward was refused', { path, error });
      reply.fail();
    }
  }

  /** `cancel-tcpip-forward` and `cancel-streamlocal-forward@openssh.com`. */
  cancel(name: string, reply: Reply): void {
    if (this.#listeners.cancel(name)) reply.succeed();
    else reply.fail();
  }

  close(): Promise<void> {
    return this.#listeners.close();
  }

  #offer(socket: Socket, open: () => Promise<SshChannel>): void {
    offerSocket(socket, open, (error) => {
      this.#options.logger.debug('a forwarded connection was refused', { error });
    });
  }
}

function portBytes(port: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(port);
  return bytes;
}

/** Whether `error` means that policy forbids it, rather than that nobody answered. */
export function isForbidden(error: unknown): boolean {
  return (
    error instanceof HoldfastError &&
    (error.code === 'ERR_FORBIDDEN' || error.code === 'ERR_FORWARD_DENIED')
  );
}
