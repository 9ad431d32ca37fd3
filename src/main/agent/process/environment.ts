import type { Metadata } from '../../../shared/common/wire/index.js';
import { quoteForShell } from './quote.js';
import type { SshConnectionInfo } from './types.js';

export interface EnvironmentOptions {
  /** Absent: a POSIX system. */
  readonly platform?: NodeJS.Platform | undefined;
  /** Environment of the agent process. Every `HOLDFAST_*` variable in it is dropped. */
  readonly processEnv: Readonly<NodeJS.ProcessEnv>;
  /** What the client of the session sent, unfiltered. */
  readonly clientEnv?: Readonly<Record<string, string>> | undefined;
  /** Names beyond the built-in ones that a client may set, `*` at the end as wildcard. */
  readonly acceptEnv?: readonly string[] | undefined;
  /** Node and CLI script, for GIT_SSH_COMMAND. Absent: Git's own ssh is used. */
  readonly gitSshCommand?: readonly string[] | undefined;
  readonly metadata: Metadata;
  readonly agentEnv: Readonly<Record<string, string>>;
  readonly user: {
    readonly name?: string | undefined;
    readonly shell: string;
    readonly home: string;
  };
  readonly ssh?: SshConnectionInfo | undefined;
  /** TERM of the session's terminal. Absent: it has none. */
  readonly term?: string | undefined;
}

/** What OpenSSH's sample AcceptEnv has, plus what changes nothing but colours. */
const ACCEPTED = ['LANG', 'LC_*', 'TERM', 'COLORTERM'];

/**
 * Of the terminal or session that the agent itself was started from; wrong in every other one. Nobody here knows
 * where a user's mail is.
 */
const STALE = new Set([
  'MAIL',
  'SSH_CLIENT',
  'SSH_CONNECTION',
  'SSH_ORIGINAL_COMMAND',
  'SSH_TTY',
  'COLUMNS',
  'LINES',
  'TMUX',
  'TMUX_PANE',
  'STY',
  'WINDOWID',
]);

/** Where programs are if nobody says it, as OpenSSH's sshd has it on Debian for root. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const UTF8 = /utf-?8/i;

/**
 * The complete environment of a session. The order is the original's and the last one wins: process,
 * session, GIT_SSH_COMMAND, Git identity, metadata, agent, the user, the SSH connection, TERM.
 */
export function buildEnvironment(options: EnvironmentOptions): Record<string, string> {
  const env = new Map<string, string>();
  if (options.platform !== 'win32') env.set('PATH', DEFAULT_PATH);
  for (const [name, value] of Object.entries(options.processEnv)) {
    if (value === undefined || name.startsWith('HOLDFAST_') || STALE.has(name)) continue;
    env.set(name, value);
  }
  for (const [name, value] of Object.entries(options.clientEnv ?? {})) {
    if (acceptsFromClient(name, options.acceptEnv)) env.set(name, value);
  }
  if (options.gitSshCommand !== undefined) {
    const words = [...options.gitSshCommand, 'gitssh', '--'];
    env.set('GIT_SSH_COMMAND', words.map(quoteForShell).join(' '));
    // Without it Git guesses the variant from the last word's name, by running it.
    env.set('GIT_SSH_VARIANT', 'ssh');
  }
  // An empty name or address makes `git commit` fail, where an absent one falls back to the user's own.
  const { owner_email: email, owner_username: name } = options.metadata;
  setIfAny(env, ['GIT_AUTHOR_EMAIL', 'GIT_COMMITTER_EMAIL'], email);
  setIfAny(env, ['GIT_AUTHOR_NAME', 'GIT_COMMITTER_NAME'], name);
  setAll(env, options.metadata.environment_variables);
  setAll(env, options.agentEnv);
  setIfAny(env, ['USER', 'LOGNAME'], options.user.name ?? '');
  env.set('SHELL', options.user.shell);
  env.set('HOME', options.user.home);
  if (options.ssh !== undefined) {
    const { clientAddress, clientPort, serverAddress, serverPort } = options.ssh;
    env.set('SSH_CLIENT', `${clientAddress} ${clientPort} ${serverPort}`);
    env.set('SSH_CONNECTION', `${clientAddress} ${clientPort} ${serverAddress} ${serverPort}`);
  }
  fallBackToUtf8(env);
  if (options.term !== undefined) env.set('TERM', options.term);
  return Object.fromEntries(env);
}

/**
 * Whether a client may set `name`. Everything else could change what the session runs before the user
 * sees a prompt: LD_PRELOAD, BASH_ENV, NODE_OPTIONS and dozens more.
 */
export function acceptsFromClient(name: string, more: readonly string[] = []): boolean {
  return [...ACCEPTED, ...more].some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/** Terminals here are UTF-8; a locale that says otherwise, or none, makes programs print `?`. */
function fallBackToUtf8(env: Map<string, string>): void {
  const pick = (name: string): string | undefined => env.get(name) || undefined;
  // LC_ALL would win over what is set here, and naming it is a clear wish.
  if (pick('LC_ALL') !== undefined) return;
  if (!UTF8.test(pick('LC_CTYPE') ?? pick('LANG') ?? '')) env.set('LC_CTYPE', 'C.UTF-8');
}

function setAll(env: Map<string, string>, values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) env.set(name, value);
}

function setIfAny(env: Map<string, string>, names: readonly string[], value: string): void {
  if (value === '') return;
  for (const name of names) env.set(name, value);
}
