import { dirname, join } from 'node:path';
import { HoldfastError } from '../../shared/common/index.js';
import { stateDirOwner } from '../../shared/node/state/index.js';
import {
  LINK_SETTINGS,
  localSocket,
  openLink,
  openLocalLink,
  workspaceName,
  type Cli,
  type WorkspaceLink,
} from '../cli/index.js';
import { clientConfigDirOf } from '../cli/config/index.js';

/** What decides where the agent is. */
export const TARGET_SETTINGS = [...LINK_SETTINGS, 'stateDir', 'socket'] as const;

/** An agent to put a load on. */
export interface Target {
  /** The workspace, or `the agent on this machine`. */
  readonly name: string;
  /** Reached over the unix socket, which says by itself whose it is. */
  readonly isLocal: boolean;
  /** Process of the agent, if it is on this machine and known. */
  readonly agentPid: number | undefined;
  /** A connection more. @throws {HoldfastError} as `openLink`, `openLocalLink`. */
  open(signal: AbortSignal): Promise<WorkspaceLink>;
}

/** The workspace that `holdfast up` serves. */
const WORKSPACE_OF_UP = 'local';

/**
 * The agent that the command line names; nothing is reached yet.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT if it names none, or two.
 */
export function targetOf(
  cli: Cli,
  command: Parameters<Cli['config']>[0],
  workspace: string | undefined,
  isLocal: boolean,
): Target {
  const config = cli.config(command, TARGET_SETTINGS);
  if (isLocal && workspace !== undefined) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', 'a workspace and --local exclude each other', {
      hint: `For the workspace: \`holdfast-load ${workspace}\`. For the agent on this machine: \`holdfast-load --local\`.`,
    });
  }
  if (isLocal) {
    const socket = localSocket(config);
    return {
      name: 'the agent on this machine',
      isLocal,
      agentPid: ownerOf(dirname(socket)),
      open: (signal) => openLocalLink(config, { signal }),
    };
  }
  if (workspace === undefined) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', 'which agent?', {
      hint: 'Name a workspace, or give --local for the agent on this machine; --help says more.',
    });
  }
  const name = workspaceName(workspace);
  // The login that `up` keeps beside its agent can only mean that agent.
  const isOfUp =
    name === WORKSPACE_OF_UP && config.configDir === clientConfigDirOf(config.stateDir);
  return {
    name,
    isLocal,
    agentPid: isOfUp ? ownerOf(join(config.stateDir, 'agent')) : undefined,
    open: (signal) => openLink(config, name, signal),
  };
}

function ownerOf(dir: string): number | undefined {
  try {
    return stateDirOwner(dir);
  } catch {
    return undefined;
  }
}
