/**
 * Everything about shells that differs between systems, in one table. Only Linux is proven; the other
 * rows are unit-tested through injection.
 */
export interface ShellPlatform {
  /** Tried in order when neither the user database nor the environment names a usable shell. */
  readonly fallbackShells: readonly string[];
  /** Whether the user database knows a login shell. Windows has none. */
  readonly hasLoginShell: boolean;
  /** Which environment variable names the user's shell. */
  readonly shellVariable: string;
  /** Arguments that make `shell` run one command line and end with its status. */
  commandArgs(shell: string, command: string): string[];
  /** Arguments that make `shell` an interactive session, a login one where that exists. */
  sessionArgs(shell: string): string[];
  /**
   * Program and arguments that run `words` as they are, with what the user's profile sets where that is
   * possible: no word is ever parsed by a shell.
   */
  programArgs(shell: string, words: readonly string[]): { file: string; args: string[] };
  /** Whether a child gets a session and process group of its own, so that all of it can be signalled. */
  readonly hasProcessGroups: boolean;
}

/** Shells that hand over their arguments as `"$@"` and know `-l`. */
const BOURNE_SHELLS = new Set(['sh', 'ash', 'bash', 'dash', 'ksh', 'mksh', 'zsh']);

const POSIX: ShellPlatform = {
  fallbackShells: ['/bin/sh'],
  hasLoginShell: true,
  shellVariable: 'SHELL',
  commandArgs: (_shell, command) => ['-c', command],
  // `-l` rather than a dash in front of argv[0]: every shell in use knows it, and node-pty cannot choose argv[0].
  sessionArgs: () => ['-l'],
  programArgs: (shell, words) => {
    const name = shell.slice(shell.lastIndexOf('/') + 1);
    if (BOURNE_SHELLS.has(name)) {
      return { file: shell, args: ['-l', '-c', 'exec "$@"', name, ...words] };
    }
    if (name === 'fish') return { file: shell, args: ['-l', '-c', 'exec $argv', '--', ...words] };
    return { file: '/bin/sh', args: ['-c', 'exec "$@"', 'sh', ...words] };
  },
  hasProcessGroups: true,
};

const WINDOWS: ShellPlatform = {
  fallbackShells: ['powershell.exe', 'cmd.exe'],
  hasLoginShell: false,
  shellVariable: 'ComSpec',
  commandArgs: (shell, command) =>
    isPowerShell(shell) ? ['-NoLogo', '-Command', command] : ['/c', command],
  sessionArgs: (shell) => (isPowerShell(shell) ? ['-NoLogo'] : []),
  programArgs: (_shell, [file = '', ...args]) => ({ file, args }),
  hasProcessGroups: false,
};

/** The row for `platform`. Anything that is not Windows is taken for POSIX. */
export function shellPlatform(platform: NodeJS.Platform): ShellPlatform {
  return platform === 'win32' ? WINDOWS : POSIX;
}

function isPowerShell(shell: string): boolean {
  return /(^|[\\/])(powershell|pwsh)(\.exe)?$/i.test(shell);
}
