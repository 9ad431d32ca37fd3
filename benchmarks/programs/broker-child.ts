/** Program: a real broker on a free port of loopback. */
import { readFileSync } from 'node:fs';
import { startBroker, type Broker } from '../../src/main/broker/index.js';
import { createBrokerApi } from '../../src/main/client/broker-api/index.js';
import { serveProgram } from '../harness/index.js';

let broker: Broker | undefined;

const methods = {
  /** Starts it with one workspace; answers with what an agent and a client need. */
  start: async ({
    stateDir,
    workspace,
  }: {
    readonly stateDir: string;
    readonly workspace: string;
  }) => {
    broker = await startBroker({ stateDir, port: 0 });
    const token = readFileSync(broker.adminTokenFile, 'utf8').trim();
    const api = createBrokerApi({ brokerUrl: broker.url, token });
    const { agentToken } = await api.addWorkspace({ name: workspace });
    return { url: broker.url, token, agentToken };
  },
};

export type BrokerMethods = typeof methods;

serveProgram(methods, async () => {
  await broker?.close();
});
