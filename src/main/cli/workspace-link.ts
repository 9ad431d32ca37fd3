import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  Backoff,
  HoldfastError,
  limits,
  sleep,
  toErrorRecord,
  type AbortOptions,
  type ByteChannel,
  type Closable,
  type ErrorCode,
  type ErrorRecord,
} from '../../shared/common/index.js';
import type { TerminalInfo, TicketResponse } from '../../shared/common/wire/index.js';
import { createBrokerApi, type BrokerApi } from '../client/broker-api/index.js';
import type { AgentConnection, RecordingsClient } from '../client/connection/index.js';
import type { Config } from './config/index.js';
import { KnownAgents } from './known-agents.js';
import { HOST_SUFFIX } from './ssh-config/index.js';

/** Settings of every command that talks to a broker. */
export const CLIENT_SETTINGS = ['brokerUrl', 'token', 'tokenFile', 'tokenFd'] as const;

/** Settings of every command that connects to an agent. */
export const LINK_SETTINGS = [...CLIENT_SETTINGS, 'engine', 'webrtc', 'connectTimeout'] as const;

export type ClientConfig = Config<(typeof CLIENT_SETTINGS)[number]>;
export type LinkConfig = Config<(typeof LINK_SETTINGS)[number]>;

/** A verified connection to the agent of one workspace. */
export interface WorkspaceLink extends Closable {
  readonly engine: string;
  /** The host key that belongs to this workspace. Absent: nobody has said (`--local`). */
  readonly sshHostKey: string | undefined;
  /** Resolves when it has ended. Never rejects. */
  readonly closed: Promise<{ readonly error?: ErrorRecord | undefined }>;
  openChannel(options: { readonly label: string; readonly protocol: string }): ByteChannel;
  /** Resolves when the agent has answered. */
  ping(): Promise<unknown>;
  terminals(): Promise<TerminalInfo[]>;
  readonly kill: AgentConnection['kill'];
  readonly create: AgentConnection['create'];
  readonly setIdle: AgentConnection['setIdle'];
  readonly wait: AgentConnection['wait'];
  readonly recordings: RecordingsClient;
  readonly viewers: AgentConnection['viewers'];
  readonly dropViewer: AgentConnection['dropViewer'];
  readonly cut: AgentConnection['cut'];
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
      { hint: 'Run `holdfast login URL`; or `holdfast up` for a broker on this machine.' },
    );
  }
  return { brokerUrl, token: token.reveal() };
}

/** The broker of this configuration. @throws {HoldfastError} ERR_NOT_LOGGED_IN. */
export function openBroker(config: ClientConfig): BrokerApi {
  return createBrokerApi(requireLogin(config));
}

/**
 * Connects to the agent of `workspace`: the one that this configuration knows, or, the first time, the
 * one that the broker names, which is then remembered.
 * @throws {HoldfastError} ERR_NOT_LOGGED_IN, ERR_WORKSPACE_NOT_FOUND, ERR_AGENT_OFFLINE, ERR_PEER_AUTH,
 *   ERR_PEER_TIMEOUT, ERR_BROKER_UNREACHABLE, ERR_CLOSED on abort.
 */
export async function openLink(
  config: LinkConfig,
  workspace: string,
  signal?: AbortSignal,
): Promise<WorkspaceLink> {
  const { brokerUrl, token } = requireLogin(config);
  const api = createBrokerApi({ brokerUrl, token });
  const known = new KnownAgents(config.configDir, brokerUrl);
  const pinned = await known.find(workspace);
  let learned: { readonly agentKey: string; readonly sshHostKey: string } | undefined;
  const link = await connectWithin(config, {
    brokerUrl,
    workspace,
    agentKey: pinned?.agentKey,
    signal,
    getTicket: async (publicKey, either) => {
      const ticket = await api.getTicket(workspace, { publicKey, signal: either });
      const { agentKey, sshHostKey } = ticket;
      if (agentKey !== undefined && sshHostKey !== undefined) learned = { agentKey, sshHostKey };
      if (pinned !== undefined && agentKey !== undefined && agentKey !== pinned.agentKey) {
        throw changedKey(workspace, known.file);
      }
      return ticket;
    },
  });
  if (learned !== undefined) await known.remember(workspace, learned);
  return { ...link, sshHostKey: learned?.sshHostKey ?? pinned?.sshHostKey };
}

export interface ConnectWithinOptions {
  readonly brokerUrl: string;
  readonly workspace: string;
  /** The only agent to talk to. Absent: the one that the broker names. */
  readonly agentKey: string | undefined;
  /** What the client proves to hold. Absent: a fresh key. */
  readonly privateKey?: KeyObject;
  readonly signal: AbortSignal | undefined;
  readonly getTicket: (publicKey: string, signal: AbortSignal) => Promise<TicketResponse>;
}

/** A handshake that a busy machine or a lossy network broke off: the next one may well succeed. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['ERR_PEER_TIMEOUT', 'ERR_PEER_LOST']);

/**
 * A connection over the broker, tried as often as it takes, within the time that the configuration allows.
 * @throws {HoldfastError} ERR_PEER_TIMEOUT after that, or what went wrong before.
 */
export async function connectWithin(
  config: Pick<LinkConfig, 'engine' | 'webrtc' | 'connectTimeout'>,
  options: ConnectWithinOptions,
): Promise<WorkspaceLink> {
  const { brokerUrl, workspace, agentKey, privateKey, signal, getTicket } = options;
  const { connectPeer } = await import('../client/connection/index.js');
  const deadline = AbortSignal.timeout(config.connectTimeout);
  const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  const backoff = new Backoff({ minMs: limits.DIAL_MIN_MS, maxMs: limits.DIAL_MAX_MS });
  const attempt = async (): Promise<WorkspaceLink> => {
    try {
      const agent = await connectPeer({
        url: `${brokerUrl.replace(/^http/, 'ws')}/api/v1/connect`,
        path: config.engine,
        webrtc: config.webrtc,
        agentKey,
        privateKey,
        signal: either,
        getTicket: (publicKey) => getTicket(publicKey, either),
      });
      return linkOf(agent, undefined);
    } catch (error) {
      if (either.aborted || !PASSING.has(toErrorRecord(error).code)) throw error;
      await sleep(backoff.next(), either);
      return await attempt();
    }
  };
  try {
    return await attempt();
  } catch (error) {
    if (deadline.aborted && signal?.aborted !== true) {
      const seconds = String(config.connectTimeout / 1_000);
      const message = `${workspace} could not be reached within ${seconds} s`;
      throw new HoldfastError('ERR_PEER_TIMEOUT', message, { cause: error });
    }
    throw error;
  }
}

/**
 * Compares what the broker says is the agent's key with what this configuration knows of it, if anything.
 * @throws {HoldfastError} ERR_PEER_AUTH.
 */
export async function requireKnownKey(
  config: ClientConfig,
  workspace: string,
  agentKey: string,
): Promise<void> {
  const known = new KnownAgents(config.configDir, requireLogin(config).brokerUrl);
  const pinned = await known.find(workspace);
  if (pinned !== undefined && pinned.agentKey !== agentKey) {
    throw changedKey(workspace, known.file);
  }
}

/**
 * Connects to the agent on this machine over its unix socket, with no broker.
 * @throws {HoldfastError} ERR_AGENT_OFFLINE if none listens, ERR_PEER_AUTH if it is somebody else's.
 */
export async function openLocalLink(
  config: Config<'socket' | 'stateDir'>,
  { signal }: AbortOptions = {},
): Promise<WorkspaceLink> {
  const { connectLocal } = await import('../client/connection/index.js');
  const path = localSocket(config);
  return linkOf(
    await connectLocal({ path, ...(signal === undefined ? {} : { signal }) }),
    undefined,
  );
}

/**
 * The host key of `workspace`, `ssh-ed25519 AAAA...`. The one of the last connection, if there was one:
 * ssh asks while `holdfast proxy` is connecting, which has just noted it.
 * @throws {HoldfastError} ERR_WORKSPACE_NOT_FOUND, ERR_AGENT_OFFLINE if it was never connected.
 */
export async function knownHostKey(config: ClientConfig, workspace: string): Promise<string> {
  const { brokerUrl } = requireLogin(config);
  const known = await new KnownAgents(config.configDir, brokerUrl).find(workspace);
  if (known !== undefined) return known.sshHostKey;
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

/** The agent's socket: as given, or in the state folder of `holdfast agent`, or in that of `holdfast up`. */
export function localSocket({ socket, stateDir }: Config<'socket' | 'stateDir'>): string {
  if (socket !== undefined) return socket;
  const own = join(stateDir, 'agent.sock');
  return existsSync(own) ? own : join(stateDir, 'agent', 'agent.sock');
}

function changedKey(workspace: string, file: string): HoldfastError {
  return new HoldfastError(
    'ERR_PEER_AUTH',
    `the broker names another key for the agent of ${workspace} than ${file} has`,
    {
      hint: `If the agent was reinstalled: \`holdfast known-hosts --forget ${workspace}\`. Else somebody may be in between.`,
    },
  );
}

/** `agent` as the commands see it. Absent `sshHostKey`: who it is follows from the way there. */
export function linkOf(agent: AgentConnection, sshHostKey: string | undefined): WorkspaceLink {
  return {
    engine: agent.connection.engine,
    sshHostKey,
    closed: agent.closed,
    openChannel: (options) => agent.openChannel(options),
    ping: () => agent.ping(),
    terminals: () => agent.terminals(),
    kill: agent.kill,
    create: agent.create,
    setIdle: agent.setIdle,
    wait: agent.wait,
    recordings: agent.recordings,
    viewers: agent.viewers,
    dropViewer: agent.dropViewer,
    cut: () => {
      agent.cut();
    },
    close: () => agent.close(),
  };
}
