import { randomBytes } from 'node:crypto';
import {
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { HoldfastError, once, sleep, type Closable } from '../../common/index.js';
import { errno, stateError } from './secure-file.js';

/** A takeover is a handful of system calls in one turn; a guard this old was left by a crash. */
const STALE_GUARD_MS = 5_000;
const GUARD_WAIT_MS = 25;

/** Who holds the lock. Start time and PID namespace tell a recycled pid from the owner. */
interface Owner {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process. Absent: the platform does not say. */
  readonly started?: string | undefined;
  readonly boot?: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * Makes this process the only one that uses `dir`, until the result is closed. The lock of a process
 * that has died is taken over. A container that restarted sees another PID namespace in the lock and
 * takes it over as well: two containers must not share one folder.
 * @throws {HoldfastError} ERR_ALREADY_RUNNING with the pid of the owner; ERR_STATE_DIR.
 */
export async function lockStateDir(dir: string): Promise<Closable> {
  const path = join(dir, 'lock');
  const own = JSON.stringify(describeProcess());
  const temporary = join(dir, `.lock.${randomBytes(8).toString('hex')}`);
  try {
    writeFileSync(temporary, own, { mode: 0o600, flag: 'wx' });
    try {
      while (!tryLink(temporary, path)) {
        const owner = readOwner(path);
        if (owner === undefined) continue;
        if (isAlive(owner)) {
          throw new HoldfastError(
            'ERR_ALREADY_RUNNING',
            `process ${String(owner.pid)} uses ${dir} already`,
          );
        }
        if (!takeOver(path)) await sleep(GUARD_WAIT_MS);
      }
    } finally {
      unlinkSync(temporary);
    }
  } catch (error) {
    throw stateError(path, error);
  }
  return {
    close: once(() => {
      try {
        if (readFileSync(path, 'utf8') === own) unlinkSync(path);
      } catch {
        // Gone already, with the whole folder perhaps.
      }
      return Promise.resolve();
    }),
  };
}

/**
 * The process that uses `dir` now. Absent: none does, or it is in another container.
 * @throws {Error} of the file system, if the lock cannot be read.
 */
export function stateDirOwner(dir: string): number | undefined {
  const owner = readOwner(join(dir, 'lock'));
  return owner !== undefined && isAlive(owner) ? owner.pid : undefined;
}

/** Linking is the one step that is both atomic and never replaces what is there. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errno(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes the lock of a dead owner. Under a guard, as of two processes that both found the owner dead
 * the slower would otherwise remove the lock that the quicker had just made. False: try again later.
 */
function takeOver(path: string): boolean {
  const guard = `${path}.takeover`;
  try {
    closeSync(openSync(guard, 'wx', 0o600));
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
    if (ageMs(guard) > STALE_GUARD_MS) removeIfThere(guard);
    return false;
  }
  try {
    const owner = readOwner(path);
    if (owner !== undefined && !isAlive(owner)) removeIfThere(path);
  } finally {
    removeIfThere(guard);
  }
  return true;
}

/** Absent: the lock is gone. A file that is no lock of ours counts as one of a dead owner. */
function readOwner(path: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null && 'pid' in value) return value as Owner;
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { pid: -1 };
}

function isAlive(owner: Owner): boolean {
  if (!Number.isInteger(owner.pid) || owner.pid <= 0) return false;
  const here = describeProcess();
  if (owner.boot !== here.boot || owner.namespace !== here.namespace) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (errno(error) !== 'EPERM') return false;
  }
  return owner.started === undefined || owner.started === startTime(owner.pid);
}

function describeProcess(): Owner {
  return {
    pid: process.pid,
    started: startTime(process.pid),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/** Field 22 of proc(5) stat, counted behind the command name, which may hold spaces and brackets. */
function startTime(pid: number): string | undefined {
  return attempt(() => {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  });
}

function ageMs(path: string): number {
  return attempt(() => Date.now() - statSync(path).mtimeMs) ?? 0;
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error;
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
