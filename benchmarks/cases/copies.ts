import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { findProgram } from '../../test/support/programs.js';
import type { CaseContext } from '../harness/index.js';
import { SSH_HOST, type SshTarget } from '../servers/index.js';

const MIB = 2 ** 20;
const FILE_MIB = 8;

/** Copies a file to an SSH server by `scp`, again and again, until it is stopped. */
export function startCopies(
  { scratch }: Pick<CaseContext, 'scratch'>,
  target: SshTarget,
): { /** @returns MB/s of the copies that were whole. */ stop(): Promise<number> } {
  const scp = findProgram('scp');
  if (scp === undefined) return { stop: () => Promise.resolve(0) };
  const file = path.join(scratch, 'copied');
  if (!existsSync(file)) writeBlocks(file, FILE_MIB);
  const to = path.join(scratch, 'copy');
  const start = performance.now();
  let isOver = false;
  let copied = 0;
  let child: ReturnType<typeof spawn> | undefined;
  const running = (async (): Promise<void> => {
    while (!isOver) {
      child = spawn(scp, [...target.options, '-q', file, `${SSH_HOST}:${to}`], { stdio: 'ignore' });
      const status = await new Promise<number | null>((resolve) => {
        child?.once('error', () => {
          resolve(null);
        });
        child?.once('close', resolve);
      });
      if (status === 0) copied += FILE_MIB * MIB;
      else if (!isOver) throw new Error(`scp ended with ${String(status)}`);
    }
  })();
  return {
    stop: async () => {
      const seconds = (performance.now() - start) / 1e3;
      const rate = copied / 1e6 / seconds;
      isOver = true;
      child?.kill('SIGTERM');
      await running;
      rmSync(to, { force: true });
      return rate;
    },
  };
}

/** Not of zeros alone, which a file system may leave out. */
export function writeBlocks(file: string, mebibytes: number): void {
  const fd = openSync(file, 'w', 0o600);
  const block = Buffer.alloc(MIB, 'holdfast');
  for (let at = 0; at < mebibytes; at += 1) writeSync(fd, block);
  closeSync(fd);
}
