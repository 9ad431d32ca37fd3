import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once, type Closable } from '../../../shared/common/index.js';
import { ForwardListeners } from '../forwarding/index.js';
import type { SshChannel } from './channel.js';
import { offerSocket } from './offer-socket.js';

/** A socket in the workspace behind which stands the client's own ssh-agent. */
export interface AgentForward extends Closable {
  /** For SSH_AUTH_SOCK; in a 0700 folder of its own. */
  readonly path: string;
}

/**
 * Makes the socket of a forwarded ssh-agent (OpenSSH PROTOCOL.agent): each connection to it becomes a
 * channel to the client.
 * @throws {HoldfastError} ERR_FORWARD_FAILED.
 */
export async function openAgentForward(
  openChannel: () => Promise<SshChannel>,
): Promise<AgentForward> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-agent-'));
  const path = join(folder, 'agent.sock');
  const listeners = new ForwardListeners();
  const close = once(async () => {
    await listeners.close();
    await rm(folder, { recursive: true, force: true });
  });
  try {
    await listeners.listenSocket(path, ({ socket }) => {
      offerSocket(socket, openChannel);
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { path, close };
}
