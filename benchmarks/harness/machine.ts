import { execFileSync } from 'node:child_process';
import os from 'node:os';
import { readFileSync } from 'node:fs';
import { PACKAGE_VERSION } from '../../src/shared/node/package-info/index.js';

/** Where and with what figures were taken. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly distribution: string;
  readonly node: string;
  readonly holdfast: string;
  /** Commit of the working tree, with `+` if something was changed since. Absent: not a clone. */
  readonly commit?: string;
  /** Load average over one minute at the start: well below the number of cores, or the figures are noise. */
  readonly load: number;
}

export function describeMachine(): Machine {
  const cpus = os.cpus();
  const commit = gitCommit();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    distribution: distribution(),
    node: process.version,
    holdfast: PACKAGE_VERSION,
    ...(commit === undefined ? {} : { commit }),
    load: Math.round((os.loadavg()[0] ?? 0) * 10) / 10,
  };
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

function gitCommit(): string | undefined {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const dirty = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${dirty ? '+' : ''}`;
  } catch {
    return undefined;
  }
}
