import { connect, type Socket } from 'node:net';
import type { ClientChannel } from 'ssh2';
import { HoldfastError, type Logger } from '../../../shared/common/index.js';
import type { SshConnection } from '../ssh-client/index.js';
import { pipeBoth } from './pipe-both.js';
import type { ForwardEnd, ForwardSpec } from './spec.js';

/** A remote forward that the agent has accepted. */
export interface RemoteForward {
  readonly spec: ForwardSpec;
  /** What listens on the agent's side, with the port that was chosen for 0. */
  readonly listening: ForwardEnd;
}

/**
 * The `-R` forwards of one SSH connection; they end with it. Made before the first is asked for, since
 * a connection may come in before the answer does.
 */
export class RemoteForwards {
  readonly #connection: SshConnection;
  readonly #logger: Logger;
  readonly #byPort = new Map<number, ForwardSpec>();
  readonly #byPath = new Map<string, ForwardSpec>();
  readonly #sockets = new Set<Socket>();

  constructor(connection: SshConnection, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
    const { client } = connection;
    client.on('tcp connection', (details, accept, reject) => {
      const spec = this.#byPort.get(details.destPort);
      if (spec === undefined) reject();
      else this.#connect(spec, accept, reject);
    });
    client.on('unix connection', (details, accept, reject) => {
      const spec = this.#byPath.get(details.socketPath);
      if (spec === undefined) reject();
      else this.#connect(spec, accept as () => ClientChannel, reject);
    });
    void connection.closed.then(() => {
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  /** @throws {HoldfastError} ERR_FORWARD_DENIED or ERR_FORWARD_FAILED as the agent has it. */
  async add(spec: ForwardSpec): Promise<RemoteForward> {
    const { client } = this.#connection;
    const { listen } = spec;
    if (listen.kind === 'unix') {
      this.#byPath.set(listen.path, spec);
      await this.#request(spec, (done) =>
        client.openssh_forwardInStreamLocal(listen.path, (error?: Error | null) => {
          done(error ?? undefined, undefined);
        }),
      );
      return { spec, listening: listen };
    }
    if (listen.port !== 0) this.#byPort.set(listen.port, spec);
    const port = await this.#request<number>(spec, (done) =>
      client.forwardIn(listen.host, listen.port, done),
    );
    const actual = listen.port === 0 ? port : listen.port;
    this.#byPort.set(actual, spec);
    return { spec, listening: { ...listen, port: actual } };
  }

  #request<T = unknown>(
    spec: ForwardSpec,
    send: (done: (error: Error | undefined, value: T) => void) => unknown,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const where =
        spec.listen.kind === 'unix' ? spec.listen.path : `port ${String(spec.listen.port)}`;
      send((error, value) => {
        // ssh2 gives null on success in some versions.
        if (error instanceof Error) {
          const message = `the agent does not listen on ${where}: ${error.message}`;
          reject(new HoldfastError('ERR_FORWARD_FAILED', message, { cause: error }));
        } else {
          resolve(value);
        }
      });
    });
  }

  #connect(
    { connect: target }: ForwardSpec,
    accept: () => ClientChannel,
    reject: () => void,
  ): void {
    const socket =
      target.kind === 'unix'
        ? connect({ path: target.path, allowHalfOpen: true })
        : connect({ host: target.host, port: target.port, allowHalfOpen: true, noDelay: true });
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    const failed = (error: Error): void => {
      this.#logger.warn('forwarded connection failed', { err: error });
      reject();
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      pipeBoth(socket, accept(), this.#connection.transport);
    });
  }
}
