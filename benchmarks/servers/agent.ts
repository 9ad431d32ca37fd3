import { mkdirSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Program, type CaseContext, type Engine } from '../harness/index.js';
import type { AgentMethods, AgentParams } from '../programs/agent-child.js';
import type { AgentPath } from '../programs/agent-path.js';
import type { BrokerMethods } from '../programs/broker-child.js';
import { SSH_HOST, sshTarget, type SshTarget } from './ssh-target.js';
import { makeUserKey } from './user-key.js';

/** What starting something takes of a case. */
export type Starting = Pick<CaseContext, 'scratch' | 'agentNodeOptions' | 'defer'>;

/** A running agent in a process of its own. */
export interface BenchAgent {
  readonly program: Program<AgentMethods>;
  readonly socket: string;
  readonly hostKey: string;
  /** Where it takes SSH clients by TCP; 0 if nowhere. */
  readonly sshPort: number;
}

/** Starts one that the case stops at its end. */
export async function startBenchAgent(
  { scratch, agentNodeOptions, defer }: Starting,
  params: Omit<AgentParams, 'stateDir'>,
): Promise<BenchAgent> {
  // Short: the path of the local socket has to fit into 103 bytes.
  const stateDir = mkdtempSync(path.join(scratch, 'a-'));
  const program = new Program<AgentMethods>(
    new URL('../programs/agent-child.js', import.meta.url),
    agentNodeOptions,
  );
  defer(() => program.stop());
  return { program, ...(await program.call('start', { ...params, stateDir })) };
}

/** An agent that takes SSH clients by TCP as well. */
export interface BenchSshAgent extends BenchAgent {
  readonly target: SshTarget;
}

/** Starts one; the case stops it at its end. */
export async function startSshAgent(
  starting: Starting,
  params: Omit<AgentParams, 'stateDir' | 'broker'>,
): Promise<BenchSshAgent> {
  const folder = mkdtempSync(path.join(starting.scratch, 'k-'));
  const { keyFile, authorized } = makeUserKey(folder);
  const agent = await startBenchAgent(starting, {
    ...params,
    options: {
      ...params.options,
      sshListen: { host: SSH_HOST, port: 0 },
      authorizedKeys: [authorized],
      motd: false,
      // As sshd runs it.
      shell: os.userInfo().shell ?? '/bin/sh',
    },
  });
  return {
    ...agent,
    target: sshTarget(folder, { port: agent.sshPort, user: 'holdfast', keyFile }),
  };
}

/** An agent, and a broker over which it is reached by WebRTC; each in a process of its own. */
export interface BenchWorkspace extends BenchAgent {
  readonly broker: Program<BrokerMethods>;
  /** For the command line: where the broker is, a token for it, and the name of the workspace. */
  readonly brokerUrl: string;
  readonly token: string;
  readonly workspace: string;
  /** The broker's signalling, for clients or a proxy. */
  readonly signalUrl: string;
  /** @param signalUrl of a proxy, instead of the broker's own. */
  path(engine: Engine | 'relay', signalUrl?: string): AgentPath;
}

const WORKSPACE = 'bench';

/** Starts both; the case stops them at its end. */
export async function startWorkspace(
  starting: Starting,
  params: Omit<AgentParams, 'stateDir' | 'broker'>,
): Promise<BenchWorkspace> {
  const broker = new Program<BrokerMethods>(
    new URL('../programs/broker-child.js', import.meta.url),
  );
  starting.defer(() => broker.stop());
  const stateDir = path.join(starting.scratch, 'broker');
  mkdirSync(stateDir, { mode: 0o700, recursive: true });
  const { url, token, agentToken } = await broker.call('start', {
    stateDir: mkdtempSync(path.join(stateDir, 'b-')),
    workspace: WORKSPACE,
  });
  const agent = await startBenchAgent(starting, { ...params, broker: { url, token: agentToken } });
  const signalUrl = `${url.replace(/^http/, 'ws')}/api/v1/connect`;
  return {
    ...agent,
    broker,
    brokerUrl: url,
    token,
    workspace: WORKSPACE,
    signalUrl,
    path: (engine, proxy = signalUrl) => ({
      kind: 'peer',
      signalUrl: proxy,
      brokerUrl: url,
      token,
      workspace: WORKSPACE,
      engine,
    }),
  };
}
