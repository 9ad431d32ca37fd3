/** Program: forks shells on PTYs one after the other, as node-pty does, and nothing else: what the kernel and it take. */
import { closeSync } from 'node:fs';
import { forkPty } from '../../src/shared/node/pty/index.js';
import { serveProgram } from '../harness/index.js';
import type { BurstResult } from './burst-child.js';

let masters: number[] = [];
let exits: Promise<void>[] = [];

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
      let exited = (): void => undefined;
      exits.push(
        new Promise<void>((resolve) => {
          exited = resolve;
        }),
      );
      const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color' };
      const size = { rows: 24, cols: 80 };
      masters.push(forkPty({ file, args, env, cwd: '/', size }, exited).masterFd);
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

export type ForkMethods = typeof methods;

serveProgram(methods, async () => undefined);
