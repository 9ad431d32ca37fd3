import { execFileSync } from 'node:child_process';
import os from 'node:os';
import { readFileSync } from 'node:fs';
import { PACKAGE_VERSION } from '../../src/shared/node/package-info/index.js';
import { toolVersions } from './tools.js';

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
  /** Versions of the programs and packages that are compared with or measured by, by name. */
  readonly tools: Readonly<Record<string, string>>;
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
    tools: toolVersions(),
  };
}

/**
 * Share of all CPU time since boot that the hypervisor gave to others, as two counters: what the machine was not
 * given cannot be told from a slow program otherwise. Zeros where the system does not say.
 */
export function stolenTime(): { readonly stolen: number; readonly total: number } {
  try {
    const line = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? '';
    // proc(5): user, nice, system, idle, iowait, irq, softirq, steal; guest time is part of user's.
    const ticks = line.split(' ').slice(0, 8).map(Number);
    return { stolen: ticks[7] ?? 0, total: ticks.reduce((sum, each) => sum + each, 0) };
  } catch {
    return { stolen: 0, total: 0 };
  }
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
