import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 200;

/**
 * Runs `work` while this process alone holds the lock file, so that a start and a test at the same
 * time do not install or build over each other. The lock names its owner; one whose owner has died is
 * taken over. `onWait` is called once if there is somebody to wait for.
 * @template T
 * @param {string} file
 * @param {{ onWait?: (pid: number) => void }} options
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, { onWait }, work) {
  mkdirSync(path.dirname(file), { recursive: true });
  const own = identity(process.pid);
  // Linked into place whole: nobody ever reads a lock that is not written yet.
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, own);
  let waiting = false;
  try {
    while (!tryLink(draft, file)) {
      const holder = readOr(file);
      if (holder === undefined) continue;
      const pid = Number.parseInt(holder, 10);
      if (identity(pid) !== holder) {
        takeAway(file, holder);
        continue;
      }
      if (!waiting) onWait?.(pid);
      waiting = true;
      await sleep(RETRY_MS);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  const release = () => {
    if (readOr(file) === own) rmSync(file, { force: true });
  };
  process.on('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** Removes a dead owner's lock. Whoever moves it first wins; a live one moved by mistake goes back. */
function takeAway(file, holder) {
  const moved = `${file}.stale.${String(process.pid)}`;
  try {
    renameSync(file, moved);
  } catch {
    return;
  }
  if (readOr(moved) !== holder) tryLink(moved, file);
  rmSync(moved, { force: true });
}

/** A process by id and start time, since ids are used again. Empty if it does not live. */
function identity(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return '';
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return '';
  }
  // The fields after the command's closing bracket; start time is field 22 (proc(5)).
  const stat = readOr(`/proc/${String(pid)}/stat`) ?? '';
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return `${String(pid)} ${started}\n`;
}

function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function readOr(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
