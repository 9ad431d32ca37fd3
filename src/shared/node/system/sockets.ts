import { lazily, libraryFunction } from './libc.js';

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_PEERCRED = 17;

type SetOption = (
  fd: number,
  level: number,
  name: number,
  value: Int32Array,
  length: number,
) => number;
type GetOption = (
  fd: number,
  level: number,
  name: number,
  value: Uint8Array,
  length: Uint32Array,
) => number;

const setOption = lazily(
  () => libraryFunction('int setsockopt(int, int, int, void *, uint32_t)') as SetOption,
);
const getOption = lazily(
  () =>
    libraryFunction('int getsockopt(int, int, int, _Out_ void *, _Inout_ uint32_t *)') as GetOption,
);

/**
 * Asks for room for `bytes` in what the kernel holds of socket `fd` on its way out, in, or both. Linux gives up to
 * twice `net.core.wmem_max` or `rmem_max`, silently; elsewhere, and where `fd` is no socket, nothing happens.
 *
 * A unix socket only says that it takes more once three quarters of it are free (unix_writable in af_unix.c), so with
 * the usual 208 KiB a reader runs dry while a busy writer wakes up.
 */
export function setSocketBuffers(
  fd: number,
  { send, receive }: { readonly send?: number; readonly receive?: number },
): void {
  if (process.platform !== 'linux') return;
  if (send !== undefined) setOption()(fd, SOL_SOCKET, SO_SNDBUF, Int32Array.of(send), 4);
  if (receive !== undefined) setOption()(fd, SOL_SOCKET, SO_RCVBUF, Int32Array.of(receive), 4);
}

/**
 * The user id of the process at the other end of a connected unix socket, as the kernel saw it when it
 * connected (SO_PEERCRED, unix(7)). Absent where the platform does not tell.
 */
export function peerUserId(fd: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const credentials = new Uint8Array(12);
  const length = new Uint32Array([credentials.length]);
  if (getOption()(fd, SOL_SOCKET, SO_PEERCRED, credentials, length) !== 0) return undefined;
  // struct ucred { pid_t pid; uid_t uid; gid_t gid; }
  return new DataView(credentials.buffer).getUint32(4, true);
}
