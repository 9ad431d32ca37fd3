import {
  chmod,
  chown,
  constants,
  fchmod,
  fchown,
  ftruncate,
  futimes,
  lchown,
  lutimes,
  open,
  stat,
  utimes,
  type BigIntStats,
} from 'node:fs';

import type { Attributes } from './attrs.js';
import { call, callVoid } from './calls.js';
import { changeJob, failJob, type Context, type Job } from './context.js';
import { closeHandle, type OpenFile } from './handles.js';
import { STATUS } from './protocol.js';
import type { RequestOf } from './requests.js';
import { StatusError, statusReply } from './status.js';

/** `O_PATH` of Linux, which Node does not name: a descriptor that stands for a file without opening it. */
const O_PATH = 0o10000000;

/** The calls that set each attribute of one target. */
interface Target {
  size(size: number): Promise<void>;
  mode(mode: number): Promise<void>;
  times(atime: number, mtime: number): Promise<void>;
  owner(uid: number, gid: number): Promise<void>;
}

export function setstatJob(context: Context, request: RequestOf<'setstat'>): Job {
  return changeJob(context, async () => {
    const path = pathIfNeeded(context, request.path, request.attributes);
    await apply(request.attributes, {
      size: (size) => truncatePath(path, size),
      mode: (mode) => callVoid((done) => chmod(path, mode, done)),
      times: (atime, mtime) => callVoid((done) => utimes(path, atime, mtime, done)),
      owner: (uid, gid) => callVoid((done) => chown(path, uid, gid, done)),
    });
    return statusReply(request.id, STATUS.OK);
  });
}

export function fsetstatJob(context: Context, request: RequestOf<'fsetstat'>): Job {
  if (context.readOnly) return failJob(STATUS.PERMISSION_DENIED);
  const file = context.handles.file(request.handle);
  if (file === undefined) return failJob(STATUS.FAILURE, 'No such handle');
  const { fd } = file;
  return changeJob(context, async () => {
    await apply(request.attributes, {
      size: (size) => callVoid((done) => ftruncate(fd, size, done)),
      mode: (mode) => callVoid((done) => fchmod(fd, mode, done)),
      times: (atime, mtime) => callVoid((done) => futimes(fd, atime, mtime, done)),
      owner: (uid, gid) => callVoid((done) => fchown(fd, uid, gid, done)),
    });
    return statusReply(request.id, STATUS.OK);
  });
}

/** The lsetstat@openssh.com extension: as SETSTAT, but a link is changed itself. */
export function lsetstatJob(
  context: Context,
  id: number,
  name: Buffer,
  attributes: Attributes,
): Job {
  return changeJob(context, async () => {
    if (attributes.size !== undefined) {
      throw new StatusError(STATUS.BAD_MESSAGE, 'A link has no size to set');
    }
    const path = pathIfNeeded(context, name, attributes);
    await apply(attributes, {
      size: () => Promise.resolve(),
      mode: (mode) => chmodNoFollow(path, mode),
      times: (atime, mtime) => callVoid((done) => lutimes(path, atime, mtime, done)),
      owner: (uid, gid) => callVoid((done) => lchown(path, uid, gid, done)),
    });
    return statusReply(id, STATUS.OK);
  });
}

/** To set nothing is a success whatever the name, as in OpenSSH. */
function pathIfNeeded(context: Context, name: Buffer, attributes: Attributes): Buffer {
  return Object.keys(attributes).length === 0 ? name : context.names.absolute(name);
}

/**
 * Sets what was sent, in OpenSSH's order. One that fails does not keep the others from being tried: a
 * client that may not give a file away still wants its times right.
 * @throws the last error.
 */
async function apply(attributes: Attributes, target: Target): Promise<void> {
  const { size, permissions, atime, mtime, uid, gid } = attributes;
  const steps: (() => Promise<void>)[] = [];
  if (size !== undefined) {
    steps.push(() => {
      if (size === Infinity) throw new StatusError(STATUS.BAD_MESSAGE, 'Size out of range');
      return target.size(size);
    });
  }
  if (permissions !== undefined) steps.push(() => target.mode(permissions & 0o7777));
  if (atime !== undefined && mtime !== undefined) steps.push(() => target.times(atime, mtime));
  if (uid !== undefined && gid !== undefined) steps.push(() => target.owner(uid, gid));
  let failed: { readonly error: unknown } | undefined;
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failed = { error };
    }
  }
  if (failed !== undefined) throw failed.error;
}

/** `truncate(2)`, which Node makes of an `open` that would wait at a FIFO and start devices. */
async function truncatePath(path: Buffer, size: number): Promise<void> {
  const stats = await call<BigIntStats>((done) => stat(path, { bigint: true }, done));
  if (stats.isDirectory()) throw new StatusError(STATUS.FAILURE, 'Is a directory');
  if (!stats.isFile()) throw new StatusError(STATUS.BAD_MESSAGE, 'Not a regular file');
  // Not blocking, should it have become a FIFO since.
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  const fd = await call<number>((done) => open(path, flags, 0, done));
  try {
    await callVoid((done) => ftruncate(fd, size, done));
  } finally {
    await closeFd(fd);
  }
}

/** `fchmodat` with AT_SYMLINK_NOFOLLOW: a link has no mode, so Linux refuses one. */
async function chmodNoFollow(path: Buffer, mode: number): Promise<void> {
  if (process.platform !== 'linux') {
    throw new StatusError(STATUS.OP_UNSUPPORTED);
  }
  const fd = await call<number>((done) => open(path, O_PATH | constants.O_NOFOLLOW, 0, done));
  try {
    const self = `/proc/self/fd/${fd}`;
    const stats = await call<BigIntStats>((done) => stat(self, { bigint: true }, done));
    if (stats.isSymbolicLink()) throw new StatusError(STATUS.FAILURE, 'A link has no mode');
    await callVoid((done) => chmod(self, mode, done));
  } finally {
    await closeFd(fd);
  }
}

function closeFd(fd: number): Promise<void> {
  const file: OpenFile = { kind: 'file', fd, key: '', append: false };
  return closeHandle(file);
}
