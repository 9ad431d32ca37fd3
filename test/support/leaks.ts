import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { access, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadNames } from './thread-names.js';

export interface LeakOptions {
  /** How long what was started may take to end. Covers the keep-alive of `fetch` (4 s). */
  readonly patienceMs?: number;
}

/** What a process holds, each thing with a name that says what it is. */
interface Holdings {
  readonly threads: readonly string[];
  readonly descriptors: readonly string[];
  readonly processes: readonly string[];
  readonly resources: readonly string[];
}

const KINDS = ['threads', 'descriptors', 'processes', 'resources'] as const;
/** A file that only an import opens. */
const MODULE = /\/node_modules\/.*\.[cm]?js$/;
const POLL_MS = 50;
/** Children inherit it, so that one is found even when its parent is gone. */
const MARK = 'HOLDFAST_TEST_FILE';

/**
 * Called once at the top of a test file: records which threads, file descriptors (PTYs among them),
 * child processes and active resources there are, and fails the file if there are more of them after
 * its last test and hook. Linux only, where /proc tells; elsewhere it checks nothing.
 */
export function checkLeaks({ patienceMs = 6_000 }: LeakOptions = {}): void {
  if (process.platform !== 'linux') return;
  const mark = `${MARK}=${randomUUID()}`;
  process.env[MARK] = mark.slice(MARK.length + 1);
  startLazyParts();
  const start = holdings(mark);
  // Registered when the file has been evaluated, since hooks run in order: everything that the file's
  // own hooks close must be closed before the look.
  queueMicrotask(() => {
    after(async () => {
      const deadline = performance.now() + patienceMs;
      let leaks = compare(start, holdings(mark));
      while (leaks.length > 0 && performance.now() < deadline) {
        await sleep(POLL_MS);
        leaks = compare(start, holdings(mark));
      }
      // A file that is run by itself does not fail by its last hook.
      if (leaks.length > 0) process.exitCode = 1;
      assert.equal(leaks.length, 0, `left behind by this file:\n${leaks.join('\n')}`);
    });
  });
}

/** Parts of Node that start on first use and then stay: the thread pool and the signal pipe. */
function startLazyParts(): void {
  access('/', () => undefined);
  const nothing = (): void => undefined;
  process.on('SIGUSR2', nothing);
  process.off('SIGUSR2', nothing);
}

function holdings(mark: string): Holdings {
  return {
    threads: threadNames().map((name) => `thread ${name}`),
    descriptors: descriptors(),
    processes: processes(mark),
    resources: process.getActiveResourcesInfo(),
  };
}

/** Each open descriptor by what it leads to, without the numbers that differ from one to the next. */
function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      // The descriptor of this very listing.
      if (/^\/proc\/\d+\/fd$/.test(target)) return [];
      // Node leaves the file open that a thread was just importing when it was ended.
      if (MODULE.test(target)) return [];
      return [target.endsWith('ptmx') ? 'a PTY master' : target.replace(/:\[\d+\]$/, '')];
    } catch {
      return [];
    }
  });
}

/** Children of this process, zombies included, and whoever carries its mark in the environment. */
function processes(mark: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    const stat = read(`/proc/${pid}/stat`);
    const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const isOurs =
      Number(parent) === process.pid || read(`/proc/${pid}/environ`).split('\0').includes(mark);
    if (!isOurs) return [];
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    return [`process ${pid} (${state}) ${command === '' ? read(`/proc/${pid}/comm`) : command}`];
  });
}

/** One line for each thing that `now` holds more of than `start`. */
function compare(start: Holdings, now: Holdings): string[] {
  return KINDS.flatMap((kind) => {
    const before = count(start[kind]);
    return [...count(now[kind])]
      .filter(([name, amount]) => amount > (before.get(name) ?? 0))
      .map(
        ([name, amount]) => `  ${kind}: ${name}, ${before.get(name) ?? 0} before, ${amount} now`,
      );
  });
}

function count(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** A file of /proc, empty if what it tells of is gone or not ours to read. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch {
    return '';
  }
}
