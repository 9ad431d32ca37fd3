import { join } from 'node:path';
import { HoldfastError, sleep, type AbortOptions } from '../../../shared/common/index.js';
import { openStateDir, readSecretFile, writeSecretFile } from '../../../shared/node/state/index.js';
import { createBrokerApi, type BrokerApi } from '../../client/broker-api/index.js';
import { clientConfigDirOf, configFileOf } from '../config/index.js';

/** Name of the workspace that `up` serves. */
export const LOCAL_WORKSPACE = 'local';

const ONLINE_POLL_MS = 50;

/** What `up` needs so that people and the agent can come in. */
export interface Provisions {
  /** For the agent. */
  readonly agentToken: string;
  /** For the link that is opened in a browser: the one workspace, no administration. */
  readonly pageToken: string;
  /** Folder with a logged-in client configuration. */
  readonly clientConfigDir: string;
}

export interface ProvisionOptions {
  readonly stateDir: string;
  readonly brokerUrl: string;
  readonly adminTokenFile: string;
  readonly ownerUsername: string;
}

/**
 * Makes workspace, tokens and client configuration on the first start and finds them on later ones. A
 * token that was revoked or lost is replaced.
 * @throws {HoldfastError} ERR_STATE_DIR, or what the broker answers.
 */
export async function provision({
  stateDir,
  brokerUrl,
  adminTokenFile,
  ownerUsername,
}: ProvisionOptions): Promise<Provisions> {
  const adminToken = await readToken(adminTokenFile);
  if (adminToken === undefined) {
    throw new HoldfastError('ERR_STATE_DIR', `${adminTokenFile} holds no token`);
  }
  const admin = createBrokerApi({ brokerUrl, token: adminToken });
  const agentToken = await agentTokenFor(admin, stateDir, ownerUsername);
  const pageTokenFile = join(stateDir, 'page.token');
  const pageToken =
    (await usable(brokerUrl, await readToken(pageTokenFile))) ??
    (await create(admin, pageTokenFile, {
      name: `${ownerUsername} browser`,
      workspaces: [LOCAL_WORKSPACE],
    }));
  const clientConfigDir = await openStateDir(clientConfigDirOf(stateDir));
  const clientTokenFile = join(clientConfigDir, 'token');
  if ((await usable(brokerUrl, await readToken(clientTokenFile))) === undefined) {
    await create(admin, clientTokenFile, {
      name: `${ownerUsername} command line`,
      role: 'admin',
      workspaces: 'all',
    });
  }
  const config = { brokerUrl, tokenFile: 'token', stateDir };
  await writeSecretFile(configFileOf(clientConfigDir), `${JSON.stringify(config, null, 2)}\n`);
  return { agentToken, pageToken, clientConfigDir };
}

/** Resolves once the agent is connected. @throws {HoldfastError} ERR_CLOSED on abort. */
export async function untilOnline(
  brokerUrl: string,
  token: string,
  { signal }: AbortOptions,
): Promise<void> {
  const api = createBrokerApi({ brokerUrl, token });
  for (;;) {
    const workspaces = await api.listWorkspaces(signal === undefined ? {} : { signal });
    if (workspaces.some(({ name, online }) => name === LOCAL_WORKSPACE && online)) return;
    await sleep(ONLINE_POLL_MS, signal);
  }
}

async function agentTokenFor(
  admin: BrokerApi,
  stateDir: string,
  ownerUsername: string,
): Promise<string> {
  const file = join(stateDir, 'agent.token');
  const known = await admin.listWorkspaces();
  if (known.some(({ name }) => name === LOCAL_WORKSPACE)) {
    const kept = await readToken(file);
    if (kept !== undefined) return kept;
    const { agentToken } = await admin.renewAgentToken(LOCAL_WORKSPACE);
    await writeSecretFile(file, agentToken);
    return agentToken;
  }
  const { agentToken } = await admin.addWorkspace({
    name: LOCAL_WORKSPACE,
    owner_username: ownerUsername,
  });
  await writeSecretFile(file, agentToken);
  return agentToken;
}

async function create(
  admin: BrokerApi,
  file: string,
  input: Parameters<BrokerApi['createToken']>[0],
): Promise<string> {
  const { secret } = await admin.createToken(input);
  await writeSecretFile(file, secret);
  return secret;
}

/** `token` if the broker still takes it. */
async function usable(brokerUrl: string, token: string | undefined): Promise<string | undefined> {
  if (token === undefined) return undefined;
  try {
    await createBrokerApi({ brokerUrl, token }).whoami();
    return token;
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'ERR_UNAUTHORIZED') return undefined;
    throw error;
  }
}

async function readToken(file: string): Promise<string | undefined> {
  const content = await readSecretFile(file);
  const token = content?.toString('utf8').trim();
  return token === '' ? undefined : token;
}
