import {
  link,
  lstat,
  mkdir,
  readlink,
  rename,
  rmdir,
  stat,
  symlink,
  unlink,
  type BigIntStats,
} from 'node:fs';

import { writeStats } from './attrs.js';
import { call, callVoid } from './calls.js';
import { changeJob, lookJob, type Context, type Job } from './context.js';
import { checkNoNul } from './names.js';
import { REPLY, STATUS } from './protocol.js';
import type { RequestOf } from './requests.js';
import { hasCode, StatusError, statusReply } from './status.js';
import { FieldWriter } from './writer.js';

export function statJob(context: Context, request: RequestOf<'stat' | 'lstat'>): Job {
  return lookJob(async () => {
    const path = context.names.absolute(request.path);
    const stats = await (request.type === 'stat' ? statOf(path) : lstatOf(path));
    const writer = new FieldWriter(REPLY.ATTRS).u32(request.id);
    writeStats(writer, stats);
    return writer.end();
  });
}

export function realpathJob(context: Context, request: RequestOf<'realpath'>): Job {
  return lookJob(async () => nameReply(request.id, await context.names.real(request.path)));
}

export function readlinkJob(context: Context, request: RequestOf<'readlink'>): Job {
  return lookJob(async () => {
    const path = context.names.absolute(request.path);
    const target = await call<Buffer>((done) => readlink(path, { encoding: 'buffer' }, done));
    return nameReply(request.id, target);
  });
}

export function removeJob(context: Context, request: RequestOf<'remove'>): Job {
  return changeJob(context, async () => {
    const path = context.names.absolute(request.path);
    await callVoid((done) => unlink(path, done));
    return statusReply(request.id, STATUS.OK);
  });
}

export function mkdirJob(context: Context, request: RequestOf<'mkdir'>): Job {
  return changeJob(context, async () => {
    const path = context.names.absolute(request.path);
    const mode = (request.attributes.permissions ?? 0o777) & 0o7777;
    await callVoid((done) => mkdir(path, { mode }, done));
    return statusReply(request.id, STATUS.OK);
  });
}

export function rmdirJob(context: Context, request: RequestOf<'rmdir'>): Job {
  return changeJob(context, async () => {
    const path = context.names.absolute(request.path);
    await callVoid((done) => rmdir(path, done));
    return statusReply(request.id, STATUS.OK);
  });
}

export function symlinkJob(context: Context, request: RequestOf<'symlink'>): Job {
  return changeJob(context, async () => {
    checkNoNul(request.target);
    const path = context.names.absolute(request.path);
    await callVoid((done) => symlink(request.target, path, done));
    return statusReply(request.id, STATUS.OK);
  });
}

/**
 * RENAME never replaces a file, which `rename(2)` would. A regular file is linked to its new name and
 * then unlinked from the old, so that a file made there meanwhile is never lost; for anything else, and
 * where links are not to be had, there is only a look before the rename.
 */
export function renameJob(context: Context, request: RequestOf<'rename'>): Job {
  return changeJob(context, async () => {
    const from = context.names.absolute(request.from);
    const to = context.names.absolute(request.to);
    const stats = await lstatOf(from);
    if (!stats.isFile() || !(await linkAndUnlink(from, to))) {
      if (await exists(to)) throw new StatusError(STATUS.FAILURE, 'File exists');
      await callVoid((done) => rename(from, to, done));
    }
    return statusReply(request.id, STATUS.OK);
  });
}

/** False if the file system has no links, or does not let this user make one. */
async function linkAndUnlink(from: Buffer, to: Buffer): Promise<boolean> {
  try {
    await callVoid((done) => link(from, to, done));
  } catch (error) {
    if (hasCode(error, 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EXDEV', 'EPERM')) return false;
    throw error;
  }
  try {
    await callVoid((done) => unlink(from, done));
  } catch (error) {
    await callVoid((done) => unlink(to, done)).catch(() => undefined);
    throw error;
  }
  return true;
}

async function exists(path: Buffer): Promise<boolean> {
  // Any failure counts as absence, as in OpenSSH; a dangling link is replaced.
  return await statOf(path).then(
    () => true,
    () => false,
  );
}

/** A NAME reply with one name and, as the draft allows for it, no attributes. */
export function nameReply(id: number, name: Buffer): Buffer {
  return new FieldWriter(REPLY.NAME, 32 + 2 * name.length)
    .u32(id)
    .u32(1)
    .string(name)
    .string(name)
    .u32(0)
    .end();
}

function statOf(path: Buffer): Promise<BigIntStats> {
  return call((done) => stat(path, { bigint: true }, done));
}

function lstatOf(path: Buffer): Promise<BigIntStats> {
  return call((done) => lstat(path, { bigint: true }, done));
}
