import { randomBytes, randomUUID } from 'node:crypto';
import { connectLocal } from '../../../src/main/client/connection/index.js';
import { connectSsh } from '../../../src/main/client/index.js';
import type { TerminalId } from '../../../src/shared/common/index.js';
import { createTerminalClient } from '../../../src/shared/common/terminal-client/index.js';
import { openShell } from './ssh-library.js';
import type { Session, SessionHandlers } from './types.js';

/** A viewer of a new terminal, as the page and `holdfast attach` are, that only counts. */
export async function openTerminal(socket: string, handlers: SessionHandlers): Promise<Session> {
  const connection = await connectLocal({ path: socket });
  const id = randomUUID() as TerminalId;
  const client = createTerminalClient({
    openChannel: (label) => connection.openChannel({ label, protocol: 'terminal' }),
    id,
    size: { rows: 24, cols: 80 },
    wantsType: true,
    clientId: randomBytes(16),
    handlers: {
      output: (bytes) => {
        handlers.data(bytes);
        client.processed(bytes.length);
      },
      gap: (from, to) => {
        handlers.lost(to - from);
      },
      state: (state) => {
        if (state.type === 'exited' || state.type === 'failed') handlers.end(state.type);
      },
    },
  });
  client.start();
  return {
    write: (text) => {
      client.input(Buffer.from(text));
    },
    close: async () => {
      await client.close();
      await connection.kill(id).catch(() => undefined);
      await connection.close();
    },
  };
}

/** A shell over SSH over the local socket. */
export async function openAgentSsh(
  { socket, hostKey }: { readonly socket: string; readonly hostKey: string },
  handlers: SessionHandlers,
): Promise<Session> {
  const connection = await connectLocal({ path: socket });
  const channel = connection.openChannel({ label: 'ssh', protocol: 'ssh' });
  const ssh = await connectSsh(channel, { hostKey, username: 'holdfast' });
  const shell = await openShell(ssh.client, handlers);
  return {
    write: shell.write,
    close: async () => {
      await ssh.close();
      await connection.close();
    },
  };
}
