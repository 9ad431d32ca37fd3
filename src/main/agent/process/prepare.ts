import { assertNever, HoldfastError, limits } from '../../../shared/common/index.js';
import { buildEnvironment } from './environment.js';
import { shellPlatform, type ShellPlatform } from './platform.js';
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
 * It throws ERR_SHELL_NOT_FOUND, ERR_DIRECTORY_NOT_FOUND and ERR_INVALID_ARGUMENT, all before any start.
 */
export function createPrepareCommand(options: PrepareOptions = {}): PrepareCommand {
  const readUser = options.user ?? currentUser;
  return async (request, context) => {
    const user = readUser();
    const shell = await resolveShell(user);
    const home = homeDirectory(user);
    const directory = request.directory ?? context.metadata.directory;
    if (directory.includes('\0')) throw nul('a directory');
    const cwd = await resolveDirectory(directory, home);
    return {
      ...program(request, shell, shellPlatform(user.platform)),
      cwd,
      env: buildEnvironment({
        platform: user.platform,
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

function program(
  { kind, command = '', words = [] }: CommandRequest,
  shell: string,
  platform: ShellPlatform,
): { readonly file: string; readonly args: string[] } {
  switch (kind) {
    case 'shell':
      return { file: shell, args: platform.sessionArgs(shell) };
    case 'exec':
      return { file: shell, args: platform.commandArgs(shell, checkCommand(command)) };
    case 'program':
      return platform.programArgs(shell, checkWords(words));
    default:
      return assertNever(kind);
  }
}

function checkWords(words: readonly string[]): readonly string[] {
  const [first = ''] = words;
  // Shells take a dash for an option of their `exec`.
  if (first === '' || first.startsWith('-')) {
    const message = `not the name of a program: ${JSON.stringify(first.slice(0, 80))}`;
    throw new HoldfastError('ERR_INVALID_ARGUMENT', message);
  }
  if (words.some((word) => word.includes('\0'))) throw nul('a command');
  const bytes = words.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0);
  if (bytes > limits.COMMAND_BYTES) {
    throw new HoldfastError(
      'ERR_INVALID_ARGUMENT',
      `a command must be shorter than ${limits.COMMAND_BYTES} bytes`,
    );
  }
  return words;
}

function nul(what: string): HoldfastError {
  return new HoldfastError('ERR_INVALID_ARGUMENT', `${what} cannot hold a NUL`);
}

function checkCommand(command: string): string {
  if (command.includes('\0')) throw nul('a command');
  // Linux refuses a single argument of 128 KiB with E2BIG, which says less.
  if (Buffer.byteLength(command) >= limits.SSH_COMMAND_BYTES) {
    throw new HoldfastError(
      'ERR_INVALID_ARGUMENT',
      `a command must be shorter than ${limits.SSH_COMMAND_BYTES} bytes`,
    );
  }
  return command;
}
