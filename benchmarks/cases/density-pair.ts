import { setTimeout as sleep } from 'node:timers/promises';
import { Program, type CaseContext } from '../harness/index.js';
import type { AttachMethods } from '../programs/attach-child.js';
import { startBenchAgent, type BenchAgent } from '../servers/index.js';

const PROGRAM = new URL('../programs/attach-child.js', import.meta.url);

/** Waits for memory to come to rest; where figures mean nothing, hardly. */
export async function settle({ scale }: CaseContext, milliseconds: number): Promise<void> {
  await sleep(scale === 'tiny' ? milliseconds / 10 : milliseconds);
}

/** A fresh agent and a client of it; they end with the run. */
export async function startPair(context: CaseContext): Promise<{
  readonly agent: BenchAgent;
  readonly client: Program<AttachMethods>;
  stop(): Promise<void>;
}> {
  const agent = await startBenchAgent(context, {
    terminals: 'workers',
    options: { maxTerminalsPerSubject: 4_000 },
  });
  const client = new Program<AttachMethods>(PROGRAM);
  context.defer(() => client.stop());
  await client.call('connect', { kind: 'local', socket: agent.socket });
  return {
    agent,
    client,
    stop: async () => {
      await client.stop();
      await agent.program.stop();
    },
  };
}
