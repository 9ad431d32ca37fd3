import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The environment as a plain map; never `process.env` itself deeper down. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where config.json is looked for when nobody names a folder. XDG Base Directory Specification. */
export function defaultConfigDir(env: Environment): string {
  return join(xdg(env['XDG_CONFIG_HOME'], env, '.config'), 'holdfast');
}

/** Where `up`, the broker and the agent keep their state when nobody names a folder. */
export function defaultStateDir(env: Environment): string {
  return join(xdg(env['XDG_STATE_HOME'], env, '.local/state'), 'holdfast');
}

/** The client configuration that `up` keeps inside its state folder. */
export function clientConfigDirOf(stateDir: string): string {
  return join(stateDir, 'client');
}

/** The specification says to ignore a value that is not absolute. */
function xdg(value: string | undefined, env: Environment, fallback: string): string {
  if (value !== undefined && isAbsolute(value)) return value;
  const home = env['HOME'];
  return join(home !== undefined && isAbsolute(home) ? home : homedir(), fallback);
}
