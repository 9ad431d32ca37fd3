/** Program: starts shells on PTYs one after the other, and nothing else: what the kernel takes. */
import { closeSync } from 'node:fs';
import { startPty } from '../../src/shared/node/pty/index.js';
import { serveProgram } from '../harness/index.js';
import type { BurstResult } from './burst-child.js';

let masters: number[] = [];
let exits: Promise<unknown>[] = [];

const methods = {
  create: async ({
    count,
    command: [file = '/bin/sh', ...args],
  }: {
    readonly count: number;
    readonly command: readonly string[];
  }): Promise<BurstResult> => {
    const times: number[] = [];
    const start = performance.now();
    for (let made = 0; made < count; made += 1) {
      const begin = performance.now();
      const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color' };
      const size = { rows: 24, cols: 80 };
      const { masterFd, exited } = await startPty({ file, args, env, cwd: '/', size });
      masters.push(masterFd);
      exits.push(exited);
      times.push(performance.now() - begin);
    }
    return { seconds: (performance.now() - start) / 1e3, times };
  },

  ended: async (_: object) => {
    await Promise.all(exits);
    for (const fd of masters) closeSync(fd);
    masters = [];
    exits = [];
  },
};

export type StartMethods = typeof methods;

serveProgram(methods, async () => undefined);
