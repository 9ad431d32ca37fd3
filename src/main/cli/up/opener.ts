import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Environment } from '../config/index.js';

/**
 * The program that opens a link in the desktop's browser. Absent: this is no desktop, so none is
 * tried; some openers would start a browser in the terminal.
 */
export function findOpener(env: Environment, platform = process.platform): string | undefined {
  if (platform === 'darwin') return onPath('open', env);
  if (platform === 'win32') return 'explorer.exe';
  const has = (name: string): boolean => env[name] !== undefined && env[name] !== '';
  if (!has('DISPLAY') && !has('WAYLAND_DISPLAY')) return undefined;
  return onPath('xdg-open', env);
}

/** Opens `url` and forgets about it: whether a browser comes is not our success or failure. */
export function openInBrowser(opener: string, url: string, env: NodeJS.ProcessEnv): void {
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true, env });
  child.on('error', () => undefined);
  child.unref();
}

function onPath(program: string, env: Environment): string | undefined {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    try {
      const file = join(folder, program);
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
