import { lstat, unlink } from 'node:fs/promises';
import { connect, type AddressInfo, type Server } from 'node:net';
import { HoldfastError, limits, once, type Closable } from '../../../shared/common/index.js';
import { listen, type OnConnection } from './listen.js';

interface Listener {
  readonly servers: readonly Server[];
}

/**
 * The remote forwards of one SSH connection. All are closed with it. A name is what the client asked for
 * (`host:port` with the allocated port, or a path), by which it also cancels.
 */
export class ForwardListeners implements Closable {
  readonly #listeners = new Map<string, Listener>();
  #pending = 0;
  #closing = false;

  /**
   * Listens for TCP. The first address must work; others, such as `::1`, are taken if they can be.
   * @returns the port, chosen by the system if 0 was asked for.
   * @throws {HoldfastError} ERR_FORWARD_FAILED, ERR_PEER_LIMIT.
   */
  async listenTcp(
    host: string,
    port: number,
    addresses: readonly [string, ...string[]],
    onConnection: OnConnection,
  ): Promise<number> {
    return await this.#admit(async () => {
      const first = await listen(
        { host: addresses[0], port, exclusive: true },
        `${addresses[0]}:${port}`,
        onConnection,
      );
      const servers = [first];
      const bound = (first.address() as AddressInfo).port;
      for (const address of addresses.slice(1)) {
        try {
          const options = { host: address, port: bound, exclusive: true };
          servers.push(await listen(options, address, onConnection));
        } catch {
          // No IPv6 here, or somebody has the port there: the first address is enough.
        }
      }
      await this.#add(`${host}:${bound}`, servers);
      return bound;
    });
  }

  /** Listens on a unix socket that only the agent's user can reach. @throws as {@link listenTcp}. */
  async listenSocket(path: string, onConnection: OnConnection): Promise<void> {
    await this.#admit(async () => {
      await removeStaleSocket(path);
      const before = process.umask(0o177);
      let listening: Promise<Server>;
      try {
        // The socket file is made in this very turn, so the mask is not seen by anybody else.
        listening = listen({ path }, path, onConnection);
      } finally {
        process.umask(before);
      }
      await this.#add(path, [await listening]);
    });
  }

  /** Ends one. False: there is none of this name. Connections that stand live on. */
  cancel(name: string): boolean {
    const listener = this.#listeners.get(name);
    if (listener === undefined) return false;
    this.#listeners.delete(name);
    for (const server of listener.servers) server.close();
    return true;
  }

  readonly close = once(async () => {
    this.#closing = true;
    const servers = [...this.#listeners.values()].flatMap((listener) => listener.servers);
    this.#listeners.clear();
    await Promise.all(servers.map(closeServer));
  });

  async #admit<T>(work: () => Promise<T>): Promise<T> {
    if (this.#listeners.size + this.#pending >= limits.SSH_LISTENERS) {
      throw new HoldfastError('ERR_PEER_LIMIT', 'too many remote forwards on this connection');
    }
    this.#pending += 1;
    try {
      return await work();
    } finally {
      this.#pending -= 1;
    }
  }

  async #add(name: string, servers: readonly Server[]): Promise<void> {
    if (this.#closing || this.#listeners.has(name)) {
      await Promise.all(servers.map(closeServer));
      throw new HoldfastError('ERR_FORWARD_FAILED', `${name} is forwarded already`);
    }
    this.#listeners.set(name, { servers });
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Connections are closed by their channels; waiting for them here would wait for their clients.
    server.close();
    setImmediate(resolve);
  });
}

/** Removes a socket file that nobody serves any more; anything else at `path` is left to fail. */
async function removeStaleSocket(path: string): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = (await lstat(path)).isSocket();
  } catch {
    return;
  }
  if (!isSocket) return;
  const served = await new Promise<boolean>((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED');
    });
  });
  if (!served) await unlink(path).catch(() => undefined);
}
