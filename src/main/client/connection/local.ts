import { lstat } from 'node:fs/promises';
import { connect } from 'node:net';
import { HoldfastError, type AbortOptions } from '../../../shared/common/index.js';
import { framedOverSocket, reusedBuffer } from '../../../shared/node/peer/index.js';
import { authenticateConnection, type AgentConnection } from './agent-connection.js';

export interface ConnectLocalOptions extends AbortOptions {
  /** The agent's socket in its state folder. */
  readonly path: string;
  /** For tests of the heartbeat. */
  readonly heartbeatMs?: number | undefined;
}

/** As much as the agent's side of the socket holds is read at once. */
const READ_BYTES = 256 * 1024;

/**
 * Connects to an agent of this machine. Who it is follows from who owns the socket.
 * @throws {HoldfastError} ERR_AGENT_OFFLINE if nobody listens, ERR_PEER_AUTH if the socket belongs to
 * somebody else.
 */
export async function connectLocal(options: ConnectLocalOptions): Promise<AgentConnection> {
  const { path, signal, heartbeatMs } = options;
  await requireOwnSocket(path);
  const reused = reusedBuffer(READ_BYTES);
  const socket = connect({ path, onread: reused.onread });
  const onAbort = (): void => {
    socket.destroy(new HoldfastError('ERR_CLOSED', 'connecting was given up'));
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal?.aborted === true) onAbort();
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const connection = framedOverSocket(socket, reused, { role: 'client', heartbeatMs });
    return await authenticateConnection(connection, {
      engine: 'framed',
      trust: { kind: 'local' },
    });
  } catch (error) {
    socket.destroy();
    if (error instanceof HoldfastError) throw error;
    throw offline(path, error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

async function requireOwnSocket(path: string): Promise<void> {
  const status = await lstat(path).catch((error: unknown) => {
    throw offline(path, error);
  });
  const uid = process.getuid?.();
  if (!status.isSocket() || (uid !== undefined && status.uid !== uid && status.uid !== 0))
    throw new HoldfastError('ERR_PEER_AUTH', `${path} is not a socket of this user's agent`);
}

function offline(path: string, cause: unknown): HoldfastError {
  return new HoldfastError('ERR_AGENT_OFFLINE', `no agent listens on ${path}`, {
    cause,
    hint: 'Start `holdfast up` or `holdfast agent` on this machine, or say where its socket is: --socket.',
  });
}
