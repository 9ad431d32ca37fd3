import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { HoldfastError, wrapError } from '../../../shared/common/index.js';
import { listIdentities } from './identities.js';

export interface GitSshOptions {
  /** The program to run. Absent: `ssh` from PATH. */
  readonly ssh?: string | undefined;
  /** Where explanations go. Absent: standard error. */
  readonly print?: ((text: string) => void) | undefined;
}

/** Status of ssh for failures of its own, against those of the remote command. */
const SSH_FAILED = 255;

/**
 * Runs ssh as Git asks (GIT_SSH_COMMAND), with the workspace's Git key offered by the agent's socket in
 * `HOLDFAST_GIT_SOCK`. The user's own configuration and key files are used as ever; only where the user's
 * ssh-agent would be asked, ours is. Standard streams are ssh's.
 * @returns the exit status for this process: that of ssh, or 128 + n where signal n ended it.
 * @throws {HoldfastError} ERR_GIT_KEY if there is no ssh to run.
 */
export async function runGitSsh(
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv>,
  options: GitSshOptions = {},
): Promise<number> {
  const socket = env['HOLDFAST_GIT_SOCK'];
  const print = options.print ?? ((text: string) => void process.stderr.write(text));
  const identities = socket === undefined ? [] : await listIdentities(socket).catch(() => []);
  const useOurs = socket !== undefined && identities.length > 0;
  // An option of ssh, not SSH_AUTH_SOCK: IdentityAgent of the user's configuration would win over that.
  const ours = useOurs ? ['-o', `IdentityAgent=${quoteOption(socket)}`] : [];
  const status = await run(options.ssh ?? 'ssh', [...ours, ...args], env);
  if (status === SSH_FAILED) print(explain(identities));
  return status;
}

/** ssh splits and expands an option's value itself: `%` and `$` are its own, quotes hold blanks. */
function quoteOption(path: string): string {
  return `"${path.replaceAll('%', '%%').replaceAll('"', '\\"')}"`;
}

function run(
  ssh: string,
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(ssh, [...args], { stdio: 'inherit', env: { ...env } });
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    // Git ends its helper by signal; ssh must not be left behind.
    for (const signal of signals) process.on(signal, forward);
    const settle = (): void => {
      for (const signal of signals) process.off(signal, forward);
    };
    child.once('error', (error) => {
      settle();
      reject(wrapError(error, 'ERR_GIT_KEY', `start ${ssh}`));
    });
    child.once('exit', (status, signal) => {
      settle();
      if (status !== null) resolve(status);
      else if (signal !== null) resolve(128 + constants.signals[signal]);
      else reject(new HoldfastError('ERR_GIT_KEY', 'ssh ended in an unknown way'));
    });
  });
}

function explain(identities: readonly string[]): string {
  if (identities.length === 0) {
    return (
      '\nholdfast: ssh failed, and this workspace has no Git key (ERR_GIT_KEY).\n' +
      'Set one with `holdfast workspace add --git-key FILE`, or use a key of your own.\n'
    );
  }
  return [
    '',
    'holdfast: ssh failed. If the Git host does not know the key of this workspace yet, add it there:',
    '',
    ...identities.map((line) => `  ${line}`),
    '',
    'GitHub: https://github.com/settings/ssh/new',
    'GitLab: https://gitlab.com/-/user_settings/ssh_keys',
    '',
  ].join('\n');
}
