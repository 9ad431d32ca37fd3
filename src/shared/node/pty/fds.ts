import { createRequire } from 'node:module';
import { HoldfastError } from '../../common/index.js';

/** The system calls that Node has no face for. The constants are those of Linux and macOS. */
interface SystemCalls {
  fcntl(fd: number, command: number, argument: number): number;
  getsockopt(
    fd: number,
    level: number,
    name: number,
    value: Uint8Array,
    length: Uint32Array,
  ): number;
  waitpid(pid: number, status: null, options: number): number;
}

const F_GETFD = 1;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_DUPFD_CLOEXEC = process.platform === 'darwin' ? 67 : 1030;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const WNOHANG = 1;
/** Duplicates never land on the standard streams, even if one of those is closed. */
const LOWEST_FD = 3;

let loaded: SystemCalls | undefined;

/** Loaded on first use: koffi has a native part, and many processes never need it. */
function systemCalls(): SystemCalls {
  if (loaded !== undefined) return loaded;
  if (process.platform === 'win32') {
    throw new HoldfastError('ERR_UNSUPPORTED', 'file descriptors cannot be shared on Windows');
  }
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const library = koffi.load(null);
  // Variadic in C, hence the pair of type and value for the third argument.
  const fcntl = library.func('int fcntl(int, int, ...)');
  loaded = {
    fcntl: (fd, command, argument) => fcntl(fd, command, 'int', argument) as number,
    getsockopt: library.func(
      'int getsockopt(int, int, int, _Out_ void *, _Inout_ uint32_t *)',
    ) as SystemCalls['getsockopt'],
    waitpid: library.func('int waitpid(int, void *, int)') as SystemCalls['waitpid'],
  };
  return loaded;
}

/**
 * Marks `fd` so that no child process inherits it. Must run in the same turn as the call that opened
 * it: forks happen on the main thread only, so none can come in between.
 * @throws {HoldfastError} ERR_SPAWN if the system refuses, which means that `fd` is not open.
 */
export function setCloseOnExec(fd: number): void {
  const flags = systemCalls().fcntl(fd, F_GETFD, 0);
  if (flags < 0 || systemCalls().fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0) {
    throw new HoldfastError('ERR_SPAWN', `cannot set close-on-exec on descriptor ${String(fd)}`);
  }
}

/**
 * A second descriptor of the same open file, close-on-exec from the start. Whoever gets it closes it.
 * @throws {HoldfastError} ERR_SPAWN if the process is out of descriptors or `fd` is not open.
 */
export function duplicateFd(fd: number): number {
  const copy = systemCalls().fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD);
  if (copy < 0) throw new HoldfastError('ERR_SPAWN', `cannot duplicate descriptor ${String(fd)}`);
  return copy;
}

/**
 * The user id of the process at the other end of a connected unix socket, as the kernel saw it when it
 * connected (SO_PEERCRED, unix(7)). Absent where the platform does not tell.
 */
export function peerUserId(fd: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const credentials = new Uint8Array(12);
  const length = new Uint32Array([credentials.length]);
  if (systemCalls().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length) !== 0) {
    return undefined;
  }
  // struct ucred { pid_t pid; uid_t uid; gid_t gid; }
  return new DataView(credentials.buffer).getUint32(4, true);
}

/** Takes the status of child `pid` if it has ended, and forgets it. Never of one that somebody waits for. */
export function forgetChild(pid: number): void {
  systemCalls().waitpid(pid, null, WNOHANG);
}
