import { readdirSync, readFileSync } from 'node:fs';
import { once, type Closable } from '../../common/index.js';
import { lazily, libraryFunction } from './libc.js';

/** Children of our own are waited for within milliseconds; what has been dead for longer is an orphan. */
const ORPHAN_MS = 2_000;
const WNOHANG = 1;

const waitpid = lazily(
  () =>
    libraryFunction('int waitpid(int, void *, int)') as (
      pid: number,
      status: null,
      options: number,
    ) => number,
);

/**
 * Waits for orphans where this process is the first of its PID namespace, as in a container without an
 * init: they become our children, and Node waits only for those it started. Does nothing elsewhere. Main
 * thread only.
 */
export function reapOrphans(): Closable {
  if (process.platform !== 'linux' || process.pid !== 1) {
    return { close: () => Promise.resolve() };
  }
  let dead: ReadonlySet<number> = new Set();
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    timer = undefined;
    const zombies = new Set(zombieChildren());
    for (const pid of zombies) {
      // Dead at the last look as well, with turns of the loop in between: nobody waits for it.
      if (dead.has(pid)) {
        waitpid()(pid, null, WNOHANG);
        zombies.delete(pid);
      }
    }
    dead = zombies;
    if (zombies.size > 0) later();
  };
  const later = (): void => {
    timer ??= setTimeout(look, ORPHAN_MS).unref();
  };
  process.on('SIGCHLD', later);
  return {
    close: once(() => {
      process.off('SIGCHLD', later);
      clearTimeout(timer);
      return Promise.resolve();
    }),
  };
}

function zombieChildren(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
        // The name in brackets may hold anything; state and parent follow the last bracket.
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return state === 'Z' && parent === String(process.pid);
      } catch {
        return false;
      }
    });
}
