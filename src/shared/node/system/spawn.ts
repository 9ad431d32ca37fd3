import { constants } from 'node:os';
import { HoldfastError } from '../../common/index.js';
import type { ExitStatus } from '../../common/wire/index.js';
import { lazily, libraryFunction } from './libc.js';
import { signalName } from './signal-name.js';

export interface SpawnOptions {
  /** Absolute, or looked for in our own PATH. */
  readonly file: string;
  /** After the program's own name. */
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Descriptors that become 0, 1 and 2. Stay the caller's. */
  readonly stdio: readonly [stdin: number, stdout: number, stderr: number];
}

export interface Spawned {
  readonly pid: number;
  /** Never rejects. */
  readonly exited: Promise<ExitStatus>;
}

// posix_spawn(3), <spawn.h> of glibc and musl.
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
/** More than posix_spawnattr_t (336), posix_spawn_file_actions_t (80) and sigset_t (128) have. */
const STRUCT_BYTES = 512;
const WNOHANG = 1;

const c = lazily(() => ({
  spawn: libraryFunction(
    'int posix_spawnp(_Out_ int *, const char *, void *, void *, const char **, const char **)',
  ),
  initAttributes: libraryFunction('int posix_spawnattr_init(void *)'),
  setFlags: libraryFunction('int posix_spawnattr_setflags(void *, short)'),
  setDefaults: libraryFunction('int posix_spawnattr_setsigdefault(void *, void *)'),
  setMask: libraryFunction('int posix_spawnattr_setsigmask(void *, void *)'),
  initActions: libraryFunction('int posix_spawn_file_actions_init(void *)'),
  destroyActions: libraryFunction('int posix_spawn_file_actions_destroy(void *)'),
  addDup2: libraryFunction('int posix_spawn_file_actions_adddup2(void *, int, int)'),
  addChdir: libraryFunction('int posix_spawn_file_actions_addchdir_np(void *, const char *)'),
  fillSignals: libraryFunction('int sigfillset(void *)'),
  emptySignals: libraryFunction('int sigemptyset(void *)'),
  waitpid: libraryFunction('int waitpid(int, _Out_ int *, int)'),
}));

/** Signals as they are at the start of a program: Node ignores SIGPIPE, which children would inherit. */
const attributes = lazily(() => {
  const bytes = Buffer.alloc(STRUCT_BYTES);
  const signals = Buffer.alloc(STRUCT_BYTES);
  must(c().initAttributes(bytes));
  must(c().fillSignals(signals));
  must(c().setDefaults(bytes, signals));
  must(c().emptySignals(signals));
  must(c().setMask(bytes, signals));
  must(c().setFlags(bytes, SETSIGDEF | SETSIGMASK | SETSID));
  return bytes;
});

const running = new Map<number, (status: ExitStatus) => void>();
/** While something runs: a listener for a signal does not keep the process alive, a child does. */
let looking: NodeJS.Timeout | undefined;
/** For that alone; the end of a child is known by its signal. */
const LOOK_MS = 5_000;

/** Whether {@link spawnSession} works here. */
export const canSpawnSession = process.platform === 'linux';

/**
 * Starts a program that leads a session and process group of its own, without copying this process: what Node's own
 * `spawn` takes grows with our memory (fork(2) copies page tables: 20 ms at 300 MB, during which this thread stands still
 * and after which every thread of ours faults its pages in again); this takes 0.25 ms. Main thread only, since children are
 * waited for at SIGCHLD. Descriptors of ours that are not marked close-on-exec get through.
 * @throws {NodeJS.ErrnoException} if the program cannot be started.
 */
export function spawnSession({ file, args, env, cwd, stdio }: SpawnOptions): Spawned {
  const environment = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  // In C it would end the string.
  if ([file, cwd, ...args, ...environment].some((text) => text.includes('\0'))) {
    throw new TypeError('a program, its arguments and its environment have no NUL');
  }
  const actions = Buffer.alloc(STRUCT_BYTES);
  must(c().initActions(actions));
  try {
    must(c().addChdir(actions, cwd));
    // In the order in which they are done: none of ours is below 3, so none is overwritten before its turn.
    for (const [target, fd] of stdio.entries()) must(c().addDup2(actions, fd, target));
    const pid: [number] = [0];
    // Before the child can end.
    startLooking();
    const failure = c().spawn(
      pid,
      file,
      actions,
      attributes(),
      [file, ...args, null],
      [...environment, null],
    );
    if (failure !== 0) throw systemError(failure, file);
    const exited = new Promise<ExitStatus>((resolve) => {
      running.set(pid[0], resolve);
    });
    return { pid: pid[0], exited };
  } finally {
    c().destroyActions(actions);
    stopLooking();
  }
}

function startLooking(): void {
  if (looking !== undefined) return;
  process.on('SIGCHLD', reap);
  looking = setInterval(reap, LOOK_MS);
}

function stopLooking(): void {
  if (running.size > 0) return;
  process.off('SIGCHLD', reap);
  clearInterval(looking);
  looking = undefined;
}

/** SIGCHLDs that come together are one, so all are asked. Only for these pids: Node waits for its own. */
function reap(): void {
  for (const [pid, resolve] of running) {
    const status: [number] = [0];
    if (c().waitpid(pid, status, WNOHANG) === 0) continue;
    running.delete(pid);
    resolve(exitStatus(status[0]));
  }
  stopLooking();
}

/** wait(2): the low seven bits are the signal, the byte above them the status. */
function exitStatus(status: number): ExitStatus {
  const number = status & 0x7f;
  if (number === 0) return { kind: 'status', status: (status >> 8) & 0xff };
  return { kind: 'signal', signal: signalName(number) };
}

function must(result: number): void {
  if (result === 0) return;
  throw new HoldfastError('ERR_SPAWN', `a program cannot be prepared (errno ${String(result)})`);
}

function systemError(errno: number, file: string): NodeJS.ErrnoException {
  const [code = `errno ${String(errno)}`] =
    Object.entries(constants.errno).find(([, value]) => value === errno) ?? [];
  return Object.assign(new Error(`spawn ${file} ${code}`), { code, errno: -errno });
}
