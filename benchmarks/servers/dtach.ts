import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '../../test/support/programs.js';

/** A dtach master with a shell. It ends when the shell does. */
export interface DtachMaster {
  readonly pid: number;
  readonly socket: string;
  stop(): Promise<void>;
}

const START_MS = 5_000;

/** Whether there is a dtach to compare with; else the reason. */
export function dtachMissing(): string | undefined {
  return findProgram('dtach') === undefined ? 'dtach is not installed' : undefined;
}

export async function startDtach(scratch: string, name: string): Promise<DtachMaster> {
  const socket = path.join(scratch, name);
  const child = spawn(findProgram('dtach') ?? 'dtach', ['-N', socket, '-z', '/bin/sh'], {
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
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
