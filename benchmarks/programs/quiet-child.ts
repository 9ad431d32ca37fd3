/** Program: some quiet terminals of an agent on one connection, into which keys are typed in turn. */
import type { AgentConnection } from '../../src/main/client/connection/index.js';
import { serveProgram } from '../harness/index.js';
import { openAgent, type AgentPath } from './agent-path.js';
import { EchoTimer } from './echo-timer.js';
import { openTerminalOn, type Session } from './sessions/index.js';

interface Quiet {
  readonly session: Session;
  receive(bytes: Uint8Array): void;
}

const READY = '@@ready@@';
const PREPARE = "stty raw -echo; printf '@@%s@@' ready; exec cat\n";

let connection: AgentConnection | undefined;
let terminals: Quiet[] = [];

const methods = {
  open: async ({ path, count }: { readonly path: AgentPath; readonly count: number }) => {
    connection = await openAgent(path);
    for (let made = 0; made < count; made += 1) terminals.push(await openQuiet(connection));
  },

  /** Latencies in ms, of one key per interval into one terminal after the other. */
  echo: async ({
    keys,
    intervalMs,
  }: {
    readonly keys: number;
    readonly intervalMs: number;
  }): Promise<readonly number[]> => {
    const each = Math.ceil(keys / terminals.length);
    const measuring = terminals.map(async (terminal, index) => {
      const echo = new EchoTimer(each, intervalMs * terminals.length, (text) => {
        terminal.session.write(text);
      });
      terminal.receive = (bytes) => {
        echo.data(bytes);
      };
      return await echo.run({ delayMs: index * intervalMs });
    });
    return (await Promise.all(measuring)).flat();
  },

  close: async (_: object) => {
    await Promise.all(terminals.map(({ session }) => session.close()));
    await connection?.close();
    terminals = [];
    connection = undefined;
  },
};

export type QuietMethods = typeof methods;

serveProgram(methods, async () => {
  await methods.close({});
});

async function openQuiet(agent: AgentConnection): Promise<Quiet> {
  let text = '';
  let ready = (): void => undefined;
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const session = openTerminalOn(agent, {
    data: (bytes) => {
      terminal.receive(bytes);
    },
    lost: () => undefined,
    end: () => undefined,
  });
  const terminal: Quiet = {
    session,
    receive: (bytes) => {
      text += Buffer.from(bytes).toString('latin1');
      if (text.includes(READY)) ready();
    },
  };
  session.write(PREPARE);
  await isReady;
  return terminal;
}
