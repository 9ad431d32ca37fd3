import { randomBytes, randomUUID } from 'node:crypto';
import type { AgentConnection } from '../../../src/main/client/connection/index.js';
import type { TerminalId } from '../../../src/shared/common/index.js';
import { createTerminalClient } from '../../../src/shared/common/terminal-client/index.js';
import { openAgent, type AgentPath } from '../agent-path.js';
import type { Session, SessionHandlers } from './types.js';

/** A viewer of a new terminal, as the page and `holdfast attach` are, that only counts. */
export async function openTerminal(path: AgentPath, handlers: SessionHandlers): Promise<Session> {
  const connection = await openAgent(path);
  const session = openTerminalOn(connection, handlers);
  return {
    write: session.write,
    close: async () => {
      await session.close();
      await connection.close();
    },
  };
}

/** The same on a connection that stands. */
export function openTerminalOn(connection: AgentConnection, handlers: SessionHandlers): Session {
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
    },
  };
}
