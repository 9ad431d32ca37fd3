/**
 * The frame of the command line for another program of this package: options and settings, connections to
 * agents by the login of the user, errors of two lines. Main thread of the program.
 */
export { Cli, type HelpOptions } from './cli.js';
export { fromCommander } from './commander-failure.js';
export { exitStatusOf } from './failure.js';
export { guardProcess, SIGPIPE_STATUS } from './guard-process.js';
export { LinkKeeper } from './link-keeper.js';
export {
  LINK_SETTINGS,
  localSocket,
  openLink,
  openLocalLink,
  workspaceName,
  type WorkspaceLink,
} from './workspace-link.js';
