import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Program, type CaseContext } from '../harness/index.js';
import type { AgentMethods, AgentParams } from '../programs/agent-child.js';

/** A running agent in a process of its own. */
export interface BenchAgent {
  readonly program: Program<AgentMethods>;
  readonly socket: string;
  readonly hostKey: string;
}

/** Starts one that the case stops at its end. */
export async function startBenchAgent(
  { scratch, agentNodeOptions, defer }: Pick<CaseContext, 'scratch' | 'agentNodeOptions' | 'defer'>,
  terminals: AgentParams['terminals'],
): Promise<BenchAgent> {
  const stateDir = path.join(scratch, terminals);
  mkdirSync(stateDir, { mode: 0o700 });
  const program = new Program<AgentMethods>(
    new URL('../programs/agent-child.js', import.meta.url),
    agentNodeOptions,
  );
  defer(() => program.stop());
  return { program, ...(await program.call('start', { stateDir, terminals })) };
}
