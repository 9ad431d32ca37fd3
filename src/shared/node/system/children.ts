import type { ExitStatus } from '../../common/wire/index.js';
import { lazily, libraryFunction } from './libc.js';
import { signalName } from './signal-name.js';

// <sys/wait.h> of Linux.
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
const P_ALL = 0;
/** Of `siginfo_t`, and where `si_pid` is in it: its union has the alignment of a pointer. */
const SIGINFO_BYTES = 128;
const PID_WORD = ['arm', 'ia32', 'mipsel'].includes(process.arch) ? 3 : 4;
/** Then the rest of the loop has a turn: a thousand ends take 50 ms. */
const ENDS_PER_TURN = 64;
/** For one thing alone: a listener for a signal does not keep the process alive, a child does. */
const LOOK_MS = 5_000;

const c = lazily(() => ({
  waitpid: libraryFunction('int waitpid(int, _Out_ int *, int)'),
  waitid: libraryFunction('int waitid(int, unsigned int, void *, int)'),
}));

const running = new Map<number, (status: ExitStatus) => void>();
/** Starts that are under way. */
let starting = 0;
let looking: NodeJS.Timeout | undefined;

/**
 * Runs `start`, which yields the pid of a new child. Its end is told even if it comes before `start` has told the pid.
 * Main thread only: Node takes SIGCHLD there.
 */
export async function watchChild(
  start: () => Promise<number>,
): Promise<{ readonly pid: number; readonly exited: Promise<ExitStatus> }> {
  starting += 1;
  startLooking();
  try {
    const pid = await start();
    const exited = new Promise<ExitStatus>((resolve) => {
      running.set(pid, resolve);
    });
    reapOne(pid);
    return { pid, exited };
  } finally {
    starting -= 1;
    stopLooking();
  }
}

function startLooking(): void {
  if (looking !== undefined) return;
  process.on('SIGCHLD', reap);
  looking = setInterval(reap, LOOK_MS);
}

function stopLooking(): void {
  if (running.size > 0 || starting > 0) return;
  process.off('SIGCHLD', reap);
  clearInterval(looking);
  looking = undefined;
}

/**
 * SIGCHLDs that come together are one, so this goes on until nobody is left. It waits for these pids alone, since Node
 * waits for its own: the system is asked who has ended (0.06 ms with 3,000 children), and only where it names another
 * each of ours is (3.5 ms).
 */
function reap(): void {
  for (let count = 0; count < ENDS_PER_TURN; count += 1) {
    const pid = endedChild();
    if (pid !== undefined && running.has(pid)) {
      reapOne(pid);
      continue;
    }
    if (pid !== undefined) for (const each of running.keys()) reapOne(each);
    stopLooking();
    return;
  }
  setImmediate(reap);
}

/** Does nothing if `pid` still runs. */
function reapOne(pid: number): void {
  const status: [number] = [0];
  if (c().waitpid(pid, status, WNOHANG) === 0) return;
  const resolve = running.get(pid);
  running.delete(pid);
  resolve?.(exitStatus(status[0]));
}

/** A child that nobody has waited for yet. Absent: there is none. */
function endedChild(): number | undefined {
  const info = new Int32Array(SIGINFO_BYTES / 4);
  if (c().waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT) !== 0) return undefined;
  // 0: children run, and none has ended.
  return info[PID_WORD] === 0 ? undefined : info[PID_WORD];
}

/** wait(2): the low seven bits are the signal, the byte above them the status. */
function exitStatus(status: number): ExitStatus {
  const number = status & 0x7f;
  if (number === 0) return { kind: 'status', status: (status >> 8) & 0xff };
  return { kind: 'signal', signal: signalName(number) };
}
