import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { missingTools, Program, type CaseContext } from '../harness/index.js';
import type { AttachMethods } from '../programs/attach-child.js';
import {
  startAbduco,
  startBenchAgent,
  startDtach,
  startScreen,
  startTmux,
} from '../servers/index.js';

/** A terminal that runs a command with nobody attached. */
export interface UnattendedWay {
  readonly name: string;
  /** Absent: it can be measured here. */
  readonly missing: string | undefined;
  /** Runs `command`; `server` are the processes that keep the terminal. */
  start(command: readonly string[]): Promise<{
    readonly servers: readonly number[];
    stop(): Promise<void> | void;
  }>;
}

/** Starts what they need for the whole of a case. */
export async function prepareUnattended(context: CaseContext): Promise<UnattendedWay[]> {
  const agent = await startBenchAgent(context, { terminals: 'workers' });
  const client = new Program<AttachMethods>(
    new URL('../programs/attach-child.js', import.meta.url),
  );
  context.defer(() => client.stop());
  await client.call('connect', { kind: 'local', socket: agent.socket });
  let count = 0;
  const fresh = (name: string): string => {
    count += 1;
    return path.join(context.scratch, `${name}-${String(count)}`);
  };
  return [
    {
      name: 'holdfast',
      missing: undefined,
      start: async (command) => {
        const id = randomUUID();
        await client.call('startTerminal', { id, command });
        return {
          servers: [agent.program.pid],
          stop: () => client.call('kill', { id }),
        };
      },
    },
    {
      name: 'dtach',
      missing: missingTools('dtach'),
      start: async (command) => {
        const master = await startDtach(fresh('ud'), command);
        return { servers: [master.pid], stop: () => master.stop() };
      },
    },
    {
      name: 'abduco',
      missing: missingTools('abduco'),
      start: async (command) => {
        const server = await startAbduco(fresh('ub'), command);
        return {
          servers: [server.pid],
          stop: () => {
            server.stop();
          },
        };
      },
    },
    {
      name: 'tmux',
      missing: missingTools('tmux'),
      start: async (command) => {
        const server = startTmux(fresh('ut'), command);
        return {
          servers: [server.pid],
          stop: () => {
            server.stop();
          },
        };
      },
    },
    {
      name: 'screen',
      missing: missingTools('screen'),
      start: async (command) => {
        const session = await startScreen(context.scratch, path.basename(fresh('us')), command);
        return {
          servers: [session.pid],
          stop: () => {
            session.stop();
          },
        };
      },
    },
  ];
}
