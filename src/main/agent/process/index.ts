/**
 * The agent's child processes: which shell, in which folder, with which environment, and how they end.
 * The only importer of child_process in the agent. Main thread, where every child is started.
 */
export { acceptsFromClient, buildEnvironment, type EnvironmentOptions } from './environment.js';
export { endGroup, signalGroup, type GroupSignaller } from './group.js';
export { shellPlatform, type ShellPlatform } from './platform.js';
export { createPrepareCommand, type PrepareCommand, type PrepareOptions } from './prepare.js';
export { quoteForShell } from './quote.js';
export { reapOrphans, sealInheritedDescriptors } from '../../../shared/node/system/index.js';
export { ProcessRegistry, type RawSpawnOptions, type SpawnedProcess } from './spawn.js';
export { STARTUP_LOG, StartupScript, type StartupScriptOptions } from './startup-script.js';
export type {
  CommandContext,
  CommandRequest,
  PreparedCommand,
  SpawnedCommand,
  SshConnectionInfo,
} from './types.js';
export {
  currentUser,
  findProgram,
  homeDirectory,
  resolveDirectory,
  resolveShell,
  type SystemUser,
} from './user.js';
