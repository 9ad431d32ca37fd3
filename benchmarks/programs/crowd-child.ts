/** Program: many viewers of many terminals that flood, counting only. */
import { randomBytes, randomUUID } from 'node:crypto';
import { connectLocal, type AgentConnection } from '../../src/main/client/connection/index.js';
import type { TerminalId } from '../../src/shared/common/index.js';
import {
  createTerminalClient,
  type TerminalClient,
} from '../../src/shared/common/terminal-client/index.js';
import { serveProgram } from '../harness/index.js';

export interface CrowdParams {
  readonly socket: string;
  readonly terminals: number;
  /** Viewers of each terminal; the first of each may type. Each has a connection with the same of the others. */
  readonly viewers: number;
  readonly command: string;
}
export interface CrowdFigures {
  /** Bytes that arrived at all viewers together so far. */
  readonly received: number;
  /** Bytes that the agent said it left out. */
  readonly missed: number;
}

let connections: AgentConnection[] = [];
let clients: TerminalClient[] = [];
let ids: TerminalId[] = [];
let received = 0;
let missed = 0;

const methods = {
  /** Resolves when every viewer has had output. */
  start: async ({ socket, terminals, viewers, command }: CrowdParams) => {
    ids = Array.from({ length: terminals }, () => randomUUID() as TerminalId);
    for (let viewer = 0; viewer < viewers; viewer += 1) {
      const connection = await connectLocal({ path: socket });
      connections.push(connection);
      const flowing = ids.map((id) => watch(connection, id, viewer === 0 ? command : undefined));
      await Promise.all(flowing);
    }
  },

  figures: async (_: object): Promise<CrowdFigures> => ({ received, missed }),

  stop: async (_: object) => {
    await Promise.all(clients.map((client) => client.close()));
    const [first] = connections;
    if (first !== undefined) {
      await Promise.all(ids.map((id) => first.kill(id).catch(() => undefined)));
    }
    await Promise.all(connections.map((connection) => connection.close()));
    connections = [];
    clients = [];
    ids = [];
    received = 0;
    missed = 0;
  },
};

export type CrowdMethods = typeof methods;

serveProgram(methods, async () => {
  await methods.stop({});
});

/** Adds one viewer; resolves when the flood has reached it. */
function watch(
  connection: AgentConnection,
  id: TerminalId,
  command: string | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = createTerminalClient({
      openChannel: (label) => connection.openChannel({ label, protocol: 'terminal' }),
      id,
      size: { rows: 24, cols: 80 },
      wantsType: true,
      clientId: randomBytes(16),
      handlers: {
        output: (bytes) => {
          received += bytes.length;
          if (bytes.length > 4_096) resolve();
          client.processed(bytes.length);
        },
        gap: (from, to) => {
          missed += to - from;
        },
        state: (state) => {
          if (state.type === 'failed') reject(new Error(state.error.message));
        },
      },
    });
    clients.push(client);
    client.start();
    if (command !== undefined) client.input(Buffer.from(`${command}\n`));
  });
}
