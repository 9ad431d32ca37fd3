import { HoldfastError, once, type Closable } from '../../../shared/common/index.js';
import { connectSsh, type SshConnection } from '../../client/index.js';
import type { LoadFigures } from '../figures/index.js';
import type { Peer } from '../peers/index.js';

export interface SshKeeperOptions {
  readonly peer: Peer;
  readonly figures: LoadFigures;
  /**
   * Whether the connection itself proves who the agent is, so that it need not show a host key that is
   * known.
   */
  readonly isLocal: boolean;
  /** Socket of an ssh-agent, for an agent that wants keys. */
  readonly agentSocket: string | undefined;
  readonly signal: AbortSignal;
}

/** One SSH connection over a peer, opened when it is needed, and anew when it is lost. */
export class SshKeeper implements Closable {
  readonly #options: SshKeeperOptions;
  #current: Promise<SshConnection> | undefined;
  #closed = false;

  constructor(options: SshKeeperOptions) {
    this.#options = options;
  }

  /** The connection that stands, or a new one. @throws {HoldfastError} as `connectSsh` does. */
  get(): Promise<SshConnection> {
    if (this.#closed) return Promise.reject(new HoldfastError('ERR_CLOSED', 'it is closed'));
    if (this.#current !== undefined) return this.#current;
    const opening = this.#open();
    this.#current = opening;
    const forget = (): void => {
      if (this.#current === opening) this.#current = undefined;
    };
    opening.then(async (connection) => {
      await connection.closed;
      forget();
    }, forget);
    return opening;
  }

  readonly close = once(async () => {
    this.#closed = true;
    await this.#current?.then(
      (connection) => connection.close(),
      () => undefined,
    );
  });

  async #open(): Promise<SshConnection> {
    const { peer, figures, isLocal, agentSocket, signal } = this.#options;
    const channel = await peer.openChannel('ssh', 'ssh');
    const { sshHostKey } = await peer.link();
    const begun = performance.now();
    const connection = await connectSsh(channel, {
      hostKey: isLocal ? 'any' : (sshHostKey ?? ''),
      // The workspace's own user, that is a shell of its own and not a terminal of that name.
      username: 'holdfast',
      agentSocket,
      signal,
    });
    figures.latencies.sshLogin.record(performance.now() - begun);
    return connection;
  }
}
