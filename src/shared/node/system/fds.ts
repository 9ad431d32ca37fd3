import { HoldfastError } from '../../common/index.js';
import { lazily, libraryFunction } from './libc.js';

// The constants are those of Linux and macOS.
const F_GETFD = 1;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_DUPFD_CLOEXEC = process.platform === 'darwin' ? 67 : 1030;
/** Duplicates never land on the standard streams, even if one of those is closed. */
const LOWEST_FD = 3;

type Read = (fd: number, target: Uint8Array, length: number) => number;

const read = lazily(() => libraryFunction('long read(int, void *, size_t)') as Read);

/**
 * Reads what non-blocking `fd` has into `target`, on any thread. Returns how many bytes; 0 or less: there are none
 * now, for whatever reason, which the next read through libuv tells. `fs.readSync` would throw an error each time.
 */
export function readNow(fd: number, target: Uint8Array): number {
  return read()(fd, target, target.length);
}

type Fcntl = (fd: number, command: number, type: 'int', argument: number) => number;

// Variadic in C, hence the pair of type and value for the third argument.
const fcntl = lazily(() => libraryFunction('int fcntl(int, int, ...)') as Fcntl);

/**
 * Marks `fd` so that no child process inherits it. Must run in the same turn as the call that opened
 * it: children are started by the main thread only, so none can come in between.
 * @throws {HoldfastError} ERR_SPAWN if the system refuses, which means that `fd` is not open.
 */
export function setCloseOnExec(fd: number): void {
  const flags = fcntl()(fd, F_GETFD, 'int', 0);
  if (flags < 0 || fcntl()(fd, F_SETFD, 'int', flags | FD_CLOEXEC) < 0) {
    throw new HoldfastError('ERR_SPAWN', `cannot set close-on-exec on descriptor ${String(fd)}`);
  }
}

/**
 * A second descriptor of the same open file, close-on-exec from the start. Whoever gets it closes it.
 * @throws {HoldfastError} ERR_SPAWN if the process is out of descriptors or `fd` is not open.
 */
export function duplicateFd(fd: number): number {
  const copy = fcntl()(fd, F_DUPFD_CLOEXEC, 'int', LOWEST_FD);
  if (copy < 0) throw new HoldfastError('ERR_SPAWN', `cannot duplicate descriptor ${String(fd)}`);
  return copy;
}
