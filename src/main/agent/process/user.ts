import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { HoldfastError } from '../../../shared/common/index.js';
import { shellPlatform } from './platform.js';

/** What is read from the system about the user whom sessions run as; injected in tests. */
export interface SystemUser {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** From the user database. Absent: the user has no entry, as in some containers. */
  readonly name?: string | undefined;
  /** From the user database. Absent or empty: there is none. */
  readonly shell?: string | undefined;
  readonly home?: string | undefined;
}

/** The user of this process as the system knows it now. Never throws. */
export function currentUser(env: Readonly<NodeJS.ProcessEnv> = process.env): SystemUser {
  try {
    const { username, shell, homedir } = userInfo();
    return { platform: process.platform, env, name: username, shell: shell ?? '', home: homedir };
  } catch {
    // A uid without an entry in the user database: everything comes from the environment then.
    return { platform: process.platform, env };
  }
}

/**
 * The shell of `user`: user database, then the environment, then the fallbacks of the platform. The
 * first that is named must work, since silently running another shell than the one that was set would
 * hide the mistake.
 * @throws {HoldfastError} ERR_SHELL_NOT_FOUND.
 */
export async function resolveShell(user: SystemUser): Promise<string> {
  const platform = shellPlatform(user.platform);
  const named = [
    platform.hasLoginShell ? user.shell : undefined,
    user.env[platform.shellVariable],
  ].find((shell) => shell !== undefined && shell !== '');
  const candidates = named === undefined ? platform.fallbackShells : [named];
  for (const candidate of candidates) {
    const found = await findProgram(candidate, user.env);
    if (found !== undefined) return found;
  }
  throw new HoldfastError(
    'ERR_SHELL_NOT_FOUND',
    `the shell ${candidates.join(' or ')} does not exist or cannot be executed`,
  );
}

/** Home of `user`: `$HOME` as the original had it, else the user database, else the root folder. */
export function homeDirectory(user: SystemUser): string {
  const named = [user.env['HOME'], user.env['USERPROFILE'], user.home];
  return named.find((home) => home !== undefined && isAbsolute(home)) ?? '/';
}

/**
 * Where a session starts: `directory` of the metadata, with a leading `~` for the home directory, or the
 * home directory if it is empty.
 * @throws {HoldfastError} ERR_DIRECTORY_NOT_FOUND.
 */
export async function resolveDirectory(directory: string, home: string): Promise<string> {
  const path = expandHome(directory, home);
  try {
    if ((await stat(path)).isDirectory()) {
      await access(path, constants.X_OK);
      return path;
    }
  } catch (error) {
    throw new HoldfastError('ERR_DIRECTORY_NOT_FOUND', `the directory ${path} cannot be entered`, {
      cause: error,
    });
  }
  throw new HoldfastError('ERR_DIRECTORY_NOT_FOUND', `${path} is not a directory`);
}

function expandHome(directory: string, home: string): string {
  if (directory === '' || directory === '~') return home;
  if (directory.startsWith('~/')) return join(home, directory.slice(2));
  return isAbsolute(directory) ? directory : join(home, directory);
}

/** The path of an executable file; a bare name is looked up in PATH. Absent: there is none. */
export async function findProgram(
  name: string,
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<string | undefined> {
  const bare = !name.includes('/') && !name.includes('\\');
  const folders = bare
    ? (env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== '')
    : [''];
  for (const folder of folders) {
    const path = bare ? join(folder, name) : name;
    try {
      await access(path, constants.X_OK);
      if ((await stat(path)).isFile()) return path;
    } catch {
      // Not here; the next folder may have it.
    }
  }
  return undefined;
}
