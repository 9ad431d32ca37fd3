import { constants } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { HoldfastError } from '../../common/index.js';
import type { ExitStatus } from '../../common/wire/index.js';
import { watchChild } from './children.js';
import { asyncLibraryFunction, lazily, libraryFunction } from './libc.js';

export interface SpawnOptions {
  /** Absolute, or looked for in our own PATH. */
  readonly file: string;
  /** After the program's own name. */
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Descriptors that become 0, 1 and 2, which stay the caller's; or the path of a terminal that controls the session. */
  readonly stdio: readonly [stdin: number, stdout: number, stderr: number] | string;
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

const c = lazily(() => ({
  spawn: asyncLibraryFunction(
    'int posix_spawnp(_Out_ int *, const char *, void *, void *, const char **, const char **)',
  ),
  initAttributes: libraryFunction('int posix_spawnattr_init(void *)'),
  setFlags: libraryFunction('int posix_spawnattr_setflags(void *, short)'),
  setDefaults: libraryFunction('int posix_spawnattr_setsigdefault(void *, void *)'),
  setMask: libraryFunction('int posix_spawnattr_setsigmask(void *, void *)'),
  initActions: libraryFunction('int posix_spawn_file_actions_init(void *)'),
  destroyActions: libraryFunction('int posix_spawn_file_actions_destroy(void *)'),
  addDup2: libraryFunction('int posix_spawn_file_actions_adddup2(void *, int, int)'),
  addOpen: libraryFunction(
    'int posix_spawn_file_actions_addopen(void *, int, const char *, int, unsigned int)',
  ),
  addChdir: libraryFunction('int posix_spawn_file_actions_addchdir_np(void *, const char *)'),
  fillSignals: libraryFunction('int sigfillset(void *)'),
  emptySignals: libraryFunction('int sigemptyset(void *)'),
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

/** The start before the next one; never rejects. */
let last: Promise<unknown> = Promise.resolve();

/** Whether {@link spawnSession} works here. */
export const canSpawnSession = process.platform === 'linux';

/**
 * Starts a program that leads a session and process group of its own, without copying this process, as Node's own
 * `spawn` does (fork(2) copies page tables: 20 ms at 300 MB), and in a thread of libuv's: until the child has become
 * another program, the thread that calls stands still, 0.25 ms, or some ms where all processors are busy.
 *
 * One after the other: `prepare` runs, on the main thread, when no other start is under way. Descriptors of ours that
 * are not close-on-exec get through, so whatever opens such opens and marks them there, and not before.
 * @throws {NodeJS.ErrnoException} if the program cannot be started, and what `prepare` throws.
 */
export async function spawnSession(prepare: () => SpawnOptions): Promise<Spawned> {
  const started = last.then(() => watchChild(() => start(prepare())));
  last = started.catch(() => undefined);
  return await started;
}

async function start({ file, args, env, cwd, stdio }: SpawnOptions): Promise<number> {
  const environment = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  // In C it would end the string.
  if ([file, cwd, ...args, ...environment].some((text) => text.includes('\0'))) {
    throw new TypeError('a program, its arguments and its environment have no NUL');
  }
  const actions = Buffer.alloc(STRUCT_BYTES);
  must(c().initActions(actions));
  try {
    must(c().addChdir(actions, cwd));
    if (typeof stdio === 'string') {
      // The first terminal that the leader of a session opens becomes the one that controls it.
      must(c().addOpen(actions, 0, stdio, constants.O_RDWR, 0));
      for (const target of [1, 2]) must(c().addDup2(actions, 0, target));
    } else {
      // In the order in which they are done: none of ours is below 3, so none is overwritten before its turn.
      for (const [target, fd] of stdio.entries()) must(c().addDup2(actions, fd, target));
    }
    const pid: [number] = [0];
    const failure = await c().spawn(
      pid,
      file,
      actions,
      attributes(),
      [file, ...args, null],
      [...environment, null],
    );
    if (failure !== 0) throw systemError(failure, file);
    return pid[0];
  } finally {
    c().destroyActions(actions);
  }
}

function must(result: number): void {
  if (result === 0) return;
  throw new HoldfastError('ERR_SPAWN', `a program cannot be prepared (errno ${String(result)})`);
}

function systemError(errno: number, file: string): NodeJS.ErrnoException {
  const [code = `errno ${String(errno)}`] =
    Object.entries(osConstants.errno).find(([, value]) => value === errno) ?? [];
  return Object.assign(new Error(`spawn ${file} ${code}`), { code, errno: -errno });
}
