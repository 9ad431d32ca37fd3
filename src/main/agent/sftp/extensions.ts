import { fsync, link, read, rename, statfs, type BigIntStatsFs } from 'node:fs';
import { homedir, userInfo } from 'node:os';

import { assertNever, limits } from '../../../shared/common/index.js';
import { readAttributes } from './attrs.js';
import { call, callVoid } from './calls.js';
import {
  aloneJob,
  changeJob,
  failJob,
  lookJob,
  SMALL_REPLY_BYTES,
  type Context,
  type Job,
} from './context.js';
import { MAX_DATA_BYTES, writeAll } from './files.js';
import { nameReply } from './paths.js';
import { REPLY, SFTP_VERSION, STATUS } from './protocol.js';
import { FieldReader } from './reader.js';
import type { RequestOf } from './requests.js';
import { lsetstatJob } from './setstat.js';
import { StatusError, statusReply } from './status.js';
import { FieldWriter } from './writer.js';

/** What is served beyond version 3: name, version told to clients, and whether it changes anything. */
const EXTENSIONS = [
  { name: 'posix-rename@openssh.com', version: '1', changes: true },
  { name: 'statvfs@openssh.com', version: '2', changes: false },
  { name: 'fstatvfs@openssh.com', version: '2', changes: false },
  { name: 'hardlink@openssh.com', version: '1', changes: true },
  { name: 'fsync@openssh.com', version: '1', changes: true },
  { name: 'lsetstat@openssh.com', version: '1', changes: true },
  { name: 'limits@openssh.com', version: '1', changes: false },
  { name: 'expand-path@openssh.com', version: '1', changes: false },
  { name: 'copy-data', version: '1', changes: true },
  { name: 'home-directory', version: '1', changes: false },
  { name: 'users-groups-by-id@openssh.com', version: '1', changes: false },
] as const;

type ExtensionName = (typeof EXTENSIONS)[number]['name'];

/** The VERSION reply. A read-only session does not offer what it would refuse, as in OpenSSH. */
export function versionReply(readOnly: boolean): Buffer {
  const writer = new FieldWriter(REPLY.VERSION, 512).u32(SFTP_VERSION);
  for (const { name, version, changes } of EXTENSIONS) {
    if (!changes || !readOnly) writer.string(name).string(version);
  }
  return writer.end();
}

/** @throws {HoldfastError} ERR_PROTOCOL if the packet ends before the extension's fields do. */
export function extendedJob(context: Context, request: RequestOf<'extended'>): Job {
  const { id, fields } = request;
  if (!isExtension(request.name)) return failJob(STATUS.OP_UNSUPPORTED);
  switch (request.name) {
    case 'posix-rename@openssh.com':
      return twoNames(context, id, fields, (from, to) =>
        callVoid((done) => rename(from, to, done)),
      );
    case 'hardlink@openssh.com':
      return twoNames(context, id, fields, (from, to) => callVoid((done) => link(from, to, done)));
    case 'statvfs@openssh.com': {
      const name = fields.string();
      return lookJob(() => statfsReply(id, context.names.absolute(name)));
    }
    case 'fstatvfs@openssh.com': {
      const file = context.handles.file(fields.string());
      if (file === undefined) return failJob(STATUS.FAILURE, 'No such handle');
      return lookJob(() => statfsReply(id, Buffer.from(`/proc/self/fd/${file.fd}`)));
    }
    case 'fsync@openssh.com':
      return fsyncJob(context, id, fields.string());
    case 'lsetstat@openssh.com': {
      const name = fields.string();
      return lsetstatJob(context, id, name, readAttributes(fields));
    }
    case 'limits@openssh.com':
      return lookJob(() => Promise.resolve(limitsReply(id)));
    case 'expand-path@openssh.com': {
      const name = fields.string();
      return lookJob(async () => nameReply(id, await expand(context, name)));
    }
    case 'copy-data':
      return copyJob(context, id, fields);
    case 'home-directory': {
      const login = fields.string().toString('latin1');
      return lookJob(async () => nameReply(id, await homeOf(context, login)));
    }
    case 'users-groups-by-id@openssh.com':
      return usersGroupsJob(context, id, fields.string(), fields.string());
    default:
      return assertNever(request.name);
  }
}

function isExtension(name: string): name is ExtensionName {
  return EXTENSIONS.some((extension) => extension.name === name);
}

function twoNames(
  context: Context,
  id: number,
  fields: FieldReader,
  run: (from: Buffer, to: Buffer) => Promise<void>,
): Job {
  const from = fields.string();
  const to = fields.string();
  return changeJob(context, async () => {
    await run(context.names.absolute(from), context.names.absolute(to));
    return statusReply(id, STATUS.OK);
  });
}

function fsyncJob(context: Context, id: number, handle: Buffer): Job {
  if (context.readOnly) return failJob(STATUS.PERMISSION_DENIED);
  const file = context.handles.file(handle);
  if (file === undefined) return failJob(STATUS.NO_SUCH_FILE, 'No such handle');
  return {
    // Every write that came before it must be on disk when it is answered.
    access: { kind: 'write', key: file.key, from: 0, to: Infinity },
    replyBytes: SMALL_REPLY_BYTES,
    run: async () => {
      await callVoid((done) => fsync(file.fd, done));
      return statusReply(id, STATUS.OK);
    },
  };
}

/**
 * Eleven numbers of `statvfs(3)`. Node tells neither fragment size, file system id nor mount flags: the
 * block size stands for the first, as it is on Linux's own file systems, and the others are 0.
 */
async function statfsReply(id: number, path: Buffer): Promise<Buffer> {
  const fs = await call<BigIntStatsFs>((done) => statfs(path, { bigint: true }, done));
  return new FieldWriter(REPLY.EXTENDED, 128)
    .u32(id)
    .u64(fs.bsize)
    .u64(fs.bsize)
    .u64(fs.blocks)
    .u64(fs.bfree)
    .u64(fs.bavail)
    .u64(fs.files)
    .u64(fs.ffree)
    .u64(fs.ffree)
    .u64(0n)
    .u64(0n)
    .u64(255n)
    .end();
}

function limitsReply(id: number): Buffer {
  return new FieldWriter(REPLY.EXTENDED)
    .u32(id)
    .u64(BigInt(limits.SFTP_PACKET_BYTES))
    .u64(BigInt(MAX_DATA_BYTES))
    .u64(BigInt(MAX_DATA_BYTES))
    .u64(BigInt(limits.SFTP_HANDLES))
    .end();
}

/** The name with `~` and `~user` in front put right, and all of it resolved as by REALPATH. */
async function expand(context: Context, name: Buffer): Promise<Buffer> {
  const text = name.toString('latin1');
  if (!text.startsWith('~')) return await context.names.real(name);
  const slash = text.indexOf('/');
  const login = slash < 0 ? text.slice(1) : text.slice(1, slash);
  const home = await homeOf(context, login);
  const rest = slash < 0 ? '' : text.slice(slash);
  return await context.names.real(Buffer.concat([home, Buffer.from(rest, 'latin1')]));
}

/** Home of a login; of the process's own user if `login` is empty. @throws {StatusError} unknown. */
async function homeOf(context: Context, login: string): Promise<Buffer> {
  if (login === '') return Buffer.from(homedir());
  const { accounts } = await context.accounts.tables();
  const account = accounts.get(login);
  if (account !== undefined) return Buffer.from(account.home, 'latin1');
  // Of a user from a network directory only our own is known.
  const own = userInfo();
  if (own.username === login) return Buffer.from(own.homedir);
  throw new StatusError(STATUS.FAILURE, 'No such user');
}

/**
 * Copies within the server (draft-ietf-secsh-filexfer-extensions-00, section 7). A length of 0 means up
 * to the end. Gives up between two pieces when the session ends.
 */
function copyJob(context: Context, id: number, fields: FieldReader): Job {
  const source = context.handles.file(fields.string());
  const from = fields.u64();
  const length = fields.u64();
  const target = context.handles.file(fields.string());
  const to = fields.u64();
  if (context.readOnly) return failJob(STATUS.PERMISSION_DENIED);
  if (source === undefined || target === undefined)
    return failJob(STATUS.FAILURE, 'No such handle');
  // A file copied onto itself would grow for ever.
  if (source.key === target.key) return failJob(STATUS.FAILURE, 'Source and target are one file');
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) {
    return failJob(STATUS.BAD_MESSAGE, 'Offset out of range');
  }
  return aloneJob(async () => {
    const wanted = length === 0 ? Infinity : length;
    const piece = Buffer.allocUnsafeSlow(Math.min(MAX_DATA_BYTES, wanted));
    let done = 0;
    while (done < wanted) {
      if (context.ended.aborted) throw new StatusError(STATUS.FAILURE);
      const at = done;
      const count = await call<number>((end) => {
        read(source.fd, piece, 0, Math.min(piece.length, wanted - at), from + at, end);
      });
      if (count === 0) {
        if (length === 0) break;
        throw new StatusError(STATUS.EOF);
      }
      await writeAll(target, piece.subarray(0, count), to + at);
      done += count;
    }
    return statusReply(id, STATUS.OK);
  });
}

function usersGroupsJob(context: Context, id: number, uids: Buffer, gids: Buffer): Job {
  return {
    access: { kind: 'look' },
    replyBytes: MAX_DATA_BYTES,
    run: async () => {
      const { users, groups } = await context.accounts.tables();
      const userNames = namesOf(uids, users);
      const groupNames = namesOf(gids, groups);
      if (userNames.length + groupNames.length > MAX_DATA_BYTES) {
        throw new StatusError(STATUS.FAILURE, 'Too many ids at once');
      }
      return new FieldWriter(REPLY.EXTENDED, 256)
        .u32(id)
        .string(userNames)
        .string(groupNames)
        .end();
    },
  };
}

/** One string for each u32 in `ids`, empty where the name is not known. */
function namesOf(ids: Buffer, names: ReadonlyMap<number, string>): Buffer {
  const reader = new FieldReader(ids);
  const found: Buffer[] = [];
  while (reader.left >= 4) {
    const name = Buffer.from(names.get(reader.u32()) ?? '', 'latin1');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(name.length);
    found.push(length, name);
  }
  return Buffer.concat(found);
}
