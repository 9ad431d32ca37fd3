import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findTool } from '../harness/index.js';
import type { SessionSpec } from '../programs/sessions/index.js';

/** A GNU screen with one window. */
export interface ScreenSession {
  readonly pid: number;
  readonly attach: SessionSpec;
  stop(): void;
}

const START_MS = 5_000;

/** Starts one that runs `command`, with its socket in the folder `scratch`. */
export async function startScreen(
  scratch: string,
  name: string,
  command: readonly string[] = ['/bin/sh'],
): Promise<ScreenSession> {
  const screen = findTool('screen') ?? 'screen';
  const folder = path.join(scratch, 'screens');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', SCREENDIR: folder };
  execFileSync(screen, ['-c', '/dev/null', '-dmS', name, ...command], { env, stdio: 'ignore' });
  const deadline = performance.now() + START_MS;
  let pid: number | undefined;
  while (pid === undefined && performance.now() < deadline) {
    // Its status says nothing: it is 1 also where there are some.
    const { stdout } = spawnSync(screen, ['-ls'], { env, encoding: 'utf8' });
    const found = new RegExp(`\\s(\\d+)\\.${name}\\s`).exec(stdout)?.[1];
    pid = found === undefined ? undefined : Number(found);
    if (pid === undefined) await sleep(10);
  }
  return {
    pid: pid ?? 0,
    attach: {
      kind: 'pty-program',
      args: [screen, '-c', '/dev/null', '-r', name],
      env: { SCREENDIR: folder },
    },
    stop: () => {
      spawnSync(screen, ['-S', name, '-X', 'quit'], { env, stdio: 'ignore' });
    },
  };
}
