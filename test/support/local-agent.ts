import { join } from 'node:path';
import {
  startAgent,
  type Agent,
  type AgentOptions,
  type Dialer,
} from '../../src/main/agent/index.js';
import { deferred, silentLogger } from '../../src/shared/common/index.js';
import { tempDir } from './temp-dir.js';

/** A broker that is there and never has a client. */
const quietDialer: Dialer = ({ signal }) => {
  const closed = deferred<void>();
  signal.addEventListener('abort', () => {
    closed.resolve();
  });
  return Promise.resolve({
    metadata: {},
    listener: {
      onOffer: () => undefined,
      closed: closed.promise,
      close: () => {
        closed.resolve();
        return closed.promise;
      },
    },
    workspaceId: 'w1',
    workspace: 'test',
    issuerKeys: [{ kid: 'test', key: 'A'.repeat(43) }],
  });
};

export interface LocalAgent {
  readonly agent: Agent;
  /** Where its clients connect. */
  readonly socket: string;
}

/** An agent in this process that is reached over its unix socket only. The caller closes it. */
export async function startLocalAgent(options: Partial<AgentOptions> = {}): Promise<LocalAgent> {
  const stateDir = join(tempDir(), 'agent');
  const agent = await startAgent({
    stateDir,
    logger: silentLogger,
    shell: '/bin/sh',
    dialer: quietDialer,
    ...options,
  });
  return { agent, socket: join(stateDir, 'agent.sock') };
}
