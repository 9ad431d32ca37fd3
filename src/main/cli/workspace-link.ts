import {
  HoldfastError,
  type ByteChannel,
  type Closable,
  type ErrorRecord,
  type TerminalId,
} from '../../shared/common/index.js';
import type { TerminalInfo } from '../../shared/common/wire/index.js';
import { createBrokerApi, type BrokerApi } from '../client/broker-api/index.js';
import type { Config } from './config/index.js';
import { HOST_SUFFIX } from './ssh-config/index.js';

/** Settings of every command that talks to a broker. */
export const CLIENT_SETTINGS = ['brokerUrl', 'token', 'tokenFile', 'tokenFd'] as const;

/** Settings of every command that connects to an agent. */
export const LINK_SETTINGS = [...CLIENT_SETTINGS, 'engine', 'connectTimeout'] as const;

export type ClientConfig = Config<(typeof CLIENT_SETTINGS)[number]>;
export type LinkConfig = Config<(typeof LINK_SETTINGS)[number]>;

/** A verified connection to the agent of one workspace. */
export interface WorkspaceLink extends Closable {
  readonly engine: string;
  /** The host key that belongs to this workspace. */
  readonly sshHostKey: string;
  readonly closed: Promise<{ readonly error?: ErrorRecord | undefined }>;
  openChannel(options: { readonly label: string; readonly protocol: string }): ByteChannel;
  /** Resolves when the agent has answered. */
  ping(): Promise<void>;
  terminals(): Promise<TerminalInfo[]>;
  kill(id: TerminalId): Promise<void>;
}

/** `local.holdfast` and `local` are the same workspace. */
export function workspaceName(argument: string): string {
  return argument.endsWith(HOST_SUFFIX) ? argument.slice(0, -HOST_SUFFIX.length) : argument;
}

/** @throws {HoldfastError} ERR_NOT_LOGGED_IN if broker or token are not known. */
export function requireLogin(config: ClientConfig): {
  readonly brokerUrl: string;
  readonly token: string;
} {
  const { brokerUrl, token } = config;
  if (brokerUrl === undefined || token === undefined) {
    const missing = brokerUrl === undefined ? 'no broker' : 'no token';
    throw new HoldfastError(
      'ERR_NOT_LOGGED_IN',
      `${missing} is known; ${config.configFile} has none`,
      {
        hint: 'Run `holdfast login URL`; or `holdfast up` for a broker on this machine.',
      },
    );
  }
  return { brokerUrl, token: token.reveal() };
}

/** The broker of this configuration. @throws {HoldfastError} ERR_NOT_LOGGED_IN. */
export function openBroker(config: ClientConfig): BrokerApi {
  return createBrokerApi(requireLogin(config));
}

/** Connects to the agent of `workspace`. */
export async function openLink(
  config: LinkConfig,
  _workspace: string,
  _signal?: AbortSignal,
): Promise<WorkspaceLink> {
  requireLogin(config);
  await Promise.resolve();
  throw new HoldfastError('ERR_UNSUPPORTED', 'this build has no peer client');
}

/** Connects to the agent on this machine over its unix socket, with no broker. */
export async function openLocalLink(
  _config: Config<'socket' | 'stateDir'>,
): Promise<WorkspaceLink> {
  await Promise.resolve();
  throw new HoldfastError('ERR_UNSUPPORTED', 'this build has no peer client');
}

/**
 * The host key of `workspace`, `ssh-ed25519 AAAA...`.
 * @throws {HoldfastError} ERR_WORKSPACE_NOT_FOUND, ERR_AGENT_OFFLINE if it was never connected.
 */
export async function knownHostKey(config: ClientConfig, workspace: string): Promise<string> {
  const workspaces = await openBroker(config).listWorkspaces();
  const found = workspaces.find(({ name }) => name === workspace);
  if (found === undefined) {
    throw new HoldfastError('ERR_WORKSPACE_NOT_FOUND', `no workspace ${JSON.stringify(workspace)}`);
  }
  if (found.sshHostKey === undefined) {
    throw new HoldfastError('ERR_AGENT_OFFLINE', `the agent of ${workspace} was never connected`);
  }
  return found.sshHostKey;
}
