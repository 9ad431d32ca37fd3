import { readFileSync } from 'node:fs';
import { startDialLoop, createBrokerDialer } from '../../../src/main/agent/dial/index.js';
import type { DialedWorkspace, DialLoop, PeerOffer } from '../../../src/main/agent/dial/index.js';
import { startBroker, type Broker, type BrokerOptions } from '../../../src/main/broker/index.js';
import { createBrokerApi, type BrokerApi } from '../../../src/main/client/broker-api/index.js';
import { createLogger, type Logger, type LogRecord } from '../../../src/shared/common/index.js';
import { generateIdentity, type Identity } from '../../../src/shared/node/state/index.js';
import { tempDir, waitFor } from '../index.js';

/** A broker on a free port with a state folder of its own. */
export interface TestBroker {
  readonly broker: Broker;
  readonly url: string;
  readonly stateDir: string;
  readonly adminToken: string;
  readonly admin: BrokerApi;
  readonly records: LogRecord[];
  api(token: string): BrokerApi;
}

export async function testBroker(options: Partial<BrokerOptions> = {}): Promise<TestBroker> {
  const records: LogRecord[] = [];
  const stateDir = options.stateDir ?? tempDir();
  const logger = createLogger((record) => records.push(record));
  const broker = await startBroker({ port: 0, logger, ...options, stateDir });
  const api = (token: string): BrokerApi => createBrokerApi({ brokerUrl: broker.url, token });
  const adminToken = readFileSync(broker.adminTokenFile, 'utf8').trim();
  return { broker, url: broker.url, stateDir, adminToken, admin: api(adminToken), records, api };
}

/** The real dialer and loop of an agent, with what came of them. */
export interface TestAgent {
  readonly loop: DialLoop;
  readonly identity: Identity;
  readonly offers: PeerOffer[];
  readonly dialed: DialedWorkspace[];
  readonly records: LogRecord[];
}

export interface TestAgentOptions {
  readonly identity?: Identity;
  /** Does not wait until the agent is connected. */
  readonly noWait?: boolean;
}

export async function testAgent(
  brokerUrl: string,
  token: string,
  { identity = generateIdentity(), noWait = false }: TestAgentOptions = {},
): Promise<TestAgent> {
  const offers: PeerOffer[] = [];
  const dialed: DialedWorkspace[] = [];
  const records: LogRecord[] = [];
  const logger: Logger = createLogger((record) => records.push(record));
  const loop = startDialLoop({
    dialer: createBrokerDialer({
      brokerUrl,
      token,
      identity,
      sshHostKey: identity.sshPublicKey,
      agentVersion: '1.2.3',
    }),
    logger,
    onDialed: (workspace) => dialed.push(workspace),
    onOffer: (offer) => offers.push(offer),
  });
  if (!noWait) await waitFor(() => dialed.length > 0, { what: 'the agent to connect' });
  return { loop, identity, offers, dialed, records };
}
