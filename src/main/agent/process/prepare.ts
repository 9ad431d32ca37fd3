import { HoldfastError, limits } from '../../../shared/common/index.js';
import { buildEnvironment } from './environment.js';
import { shellPlatform } from './platform.js';
import type { CommandContext, CommandRequest, PreparedCommand } from './types.js';
import {
  currentUser,
  homeDirectory,
  resolveDirectory,
  resolveShell,
  type SystemUser,
} from './user.js';

export interface PrepareOptions {
  /** Node and CLI script, for GIT_SSH_COMMAND. Absent: Git's own ssh is used. */
  readonly gitSshCommand?: readonly string[] | undefined;
  /** Names beyond the built-in ones that a client may set. */
  readonly acceptEnv?: readonly string[] | undefined;
  /** Read anew for each command unless given: shells and homes change while an agent lives. */
  readonly user?: (() => SystemUser) | undefined;
}

/** Turns what a session asks for into a checked command. */
export type PrepareCommand = (
  request: CommandRequest,
  context: CommandContext,
) => Promise<PreparedCommand>;

/**
 * Makes the one function by which sessions, terminals and the startup script get their command.
 * It throws ERR_SHELL_NOT_FOUND, ERR_DIRECTORY_NOT_FOUND and ERR_INVALID_ARGUMENT, all before any fork.
 */
export function createPrepareCommand(options: PrepareOptions = {}): PrepareCommand {
  const readUser = options.user ?? currentUser;
  return async (request, context) => {
    const user = readUser();
    const shell = await resolveShell(user);
    const home = homeDirectory(user);
    const cwd = await resolveDirectory(context.metadata.directory, home);
    const platform = shellPlatform(user.platform);
    return {
      file: shell,
      args:
        request.kind === 'shell'
          ? platform.sessionArgs(shell)
          : platform.commandArgs(shell, checkCommand(request.command ?? '')),
      cwd,
      env: buildEnvironment({
        processEnv: user.env,
        clientEnv: request.clientEnv,
        acceptEnv: options.acceptEnv,
        gitSshCommand: options.gitSshCommand,
        metadata: context.metadata,
        agentEnv: context.agentEnv,
        user: { name: user.name, shell, home },
        ssh: request.ssh,
        term: request.term,
      }),
    };
  };
}

function checkCommand(command: string): string {
  if (command.includes('\0')) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', 'a command cannot hold a NUL');
  }
  // Linux refuses a single argument of 128 KiB with E2BIG, which says less.
  if (Buffer.byteLength(command) >= limits.SSH_COMMAND_BYTES) {
    throw new HoldfastError(
      'ERR_INVALID_ARGUMENT',
      `a command must be shorter than ${limits.SSH_COMMAND_BYTES} bytes`,
    );
  }
  return command;
}
