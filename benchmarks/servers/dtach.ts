import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { findTool } from '../harness/index.js';
import type { SessionSpec } from '../programs/sessions/index.js';

/** A dtach master with a shell. It ends when the shell does. */
export interface DtachMaster {
  readonly pid: number;
  readonly socket: string;
  readonly attach: SessionSpec;
  stop(): Promise<void>;
}

const START_MS = 5_000;

/** Starts one that runs `command`. */
export async function startDtach(
  socket: string,
  command: readonly string[] = ['/bin/sh'],
): Promise<DtachMaster> {
  const child = spawn(findTool('dtach') ?? 'dtach', ['-N', socket, '-z', ...command], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], TERM: 'xterm-256color' },
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => {
      resolve();
    });
    child.once('exit', () => {
      resolve();
    });
  });
  const deadline = performance.now() + START_MS;
  while (!existsSync(socket) && performance.now() < deadline) await sleep(10);
  return {
    pid: child.pid ?? 0,
    socket,
    attach: { kind: 'dtach', socket },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
