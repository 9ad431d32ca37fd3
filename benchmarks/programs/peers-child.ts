/** Program: clients of an agent, each with a connection of its own, that move files and type beside it. */
import type { AgentConnection } from '../../src/main/client/connection/index.js';
import { serveProgram } from '../harness/index.js';
import { openAgent, type AgentPath } from './agent-path.js';
import { EchoTimer } from './echo-timer.js';
import { measureBulk, type BulkParams, type BulkResult } from './measure-bulk.js';
import { openTerminalOn, type Session } from './sessions/index.js';
import { SftpBulk } from './sftp-bulk.js';

export interface MoveParams extends BulkParams {
  readonly direction: 'read' | 'write';
  /** One for each connection. */
  readonly files: readonly string[];
  readonly fileBytes: number;
}

const READY = '@@ready@@';
const PREPARE = "stty raw -echo; printf '@@%s@@' ready; exec cat\n";
/** For what is under way to begin: a connection that has carried nothing starts slowly. */
const RAMP_MS = 500;

let connections: AgentConnection[] = [];
let session: Session | undefined;
let receive: (bytes: Uint8Array) => void = () => undefined;

const methods = {
  connect: async ({ path, count }: { readonly path: AgentPath; readonly count: number }) => {
    for (let made = 0; made < count; made += 1) connections.push(await openAgent(path));
  },

  /** Opens a terminal that echoes, on the first connection. */
  prepareEcho: async (_: object) => {
    const [first] = connections;
    if (first === undefined) throw new Error('not connected');
    let text = '';
    const ready = new Promise<void>((resolve) => {
      receive = (bytes) => {
        text += Buffer.from(bytes).toString('latin1');
        if (text.includes(READY)) resolve();
      };
    });
    session = openTerminalOn(first, {
      data: (bytes) => {
        receive(bytes);
      },
      lost: () => undefined,
      end: () => undefined,
    });
    session.write(PREPARE);
    await ready;
  },

  /** Latencies in ms of one key per interval, with nothing beside it. */
  echo: async ({ keys, intervalMs }: { readonly keys: number; readonly intervalMs: number }) =>
    await echo(keys, intervalMs, 'fail'),

  /** Moves files on all connections for a while. */
  move: async (params: MoveParams): Promise<BulkResult> => {
    const { direction, files, fileBytes } = params;
    const bulks = await Promise.all(
      connections.map((connection, index) =>
        SftpBulk.open(
          connection.openChannel({ label: '', protocol: 'sftp' }),
          files[index] ?? '',
          direction,
          fileBytes,
        ),
      ),
    );
    for (const bulk of bulks) bulk.start();
    await new Promise((resolve) => setTimeout(resolve, RAMP_MS));
    const moved = (): number => bulks.reduce((sum, bulk) => sum + bulk.moved, 0);
    const result = await measureBulk(params, moved, (keys, intervalMs) =>
      echo(keys, intervalMs, 'count'),
    );
    for (const bulk of bulks) bulk.close();
    return result;
  },

  close: async (_: object) => {
    await session?.close();
    await Promise.all(connections.map((connection) => connection.close()));
    connections = [];
    session = undefined;
  },
};

export type PeersMethods = typeof methods;

serveProgram(methods, async () => {
  await methods.close({});
});

async function echo(
  keys: number,
  intervalMs: number,
  lost: 'fail' | 'count',
): Promise<readonly number[]> {
  const timer = new EchoTimer(keys, intervalMs, (text) => {
    session?.write(text);
  });
  receive = (bytes) => {
    timer.data(bytes);
  };
  return await timer.run({ lost });
}
