import {
  constants,
  fstat,
  open,
  read,
  readSync,
  write,
  writeSync,
  type BigIntStats,
} from 'node:fs';

import { limits } from '../../../shared/common/index.js';
import { writeStats } from './attrs.js';
import { call } from './calls.js';
import {
  aloneJob,
  directJob,
  failJob,
  lookJob,
  SMALL_REPLY_BYTES,
  type Context,
  type Job,
} from './context.js';
import { closeHandle, type OpenFile } from './handles.js';
import { DATA_OVERHEAD_BYTES, OPEN, REPLY, STATUS } from './protocol.js';
import type { RequestOf } from './requests.js';
import { StatusError, statusReply } from './status.js';
import { FieldWriter } from './writer.js';

/** Most data of one READ or WRITE; what the limits extension tells. */
export const MAX_DATA_BYTES = limits.SFTP_PACKET_BYTES - DATA_OVERHEAD_BYTES;

/** Length, type, id and data length in front of the data of a DATA reply. */
const DATA_HEADER_BYTES = 13;

/**
 * A FIFO without a writer, or a modem, would hold a pool thread in `open(2)` for ever; without blocking
 * it opens or fails at once. Reads and writes name their offset, which such files refuse. Opening a
 * terminal must not make it ours.
 */
const SAFE_FLAGS = constants.O_NONBLOCK | constants.O_NOCTTY;

/** Flags of `open(2)` for the `pflags` of an OPEN. Neither read nor write means read, as in OpenSSH. */
export function openFlags(pflags: number): number {
  const mode =
    pflags & OPEN.WRITE
      ? pflags & OPEN.READ
        ? constants.O_RDWR
        : constants.O_WRONLY
      : constants.O_RDONLY;
  return (
    mode |
    (pflags & OPEN.APPEND ? constants.O_APPEND : 0) |
    (pflags & OPEN.CREAT ? constants.O_CREAT : 0) |
    (pflags & OPEN.TRUNC ? constants.O_TRUNC : 0) |
    (pflags & OPEN.EXCL ? constants.O_EXCL : 0)
  );
}

export function openJob(context: Context, request: RequestOf<'open'>): Job {
  const { id, path, flags: pflags, attributes } = request;
  const changes = (pflags & (OPEN.WRITE | OPEN.CREAT | OPEN.TRUNC)) !== 0;
  if (changes && context.readOnly) return failJob(STATUS.PERMISSION_DENIED);
  const run = async (): Promise<Buffer> => {
    const name = context.names.absolute(path);
    context.handles.checkRoom();
    const mode = (attributes.permissions ?? 0o666) & 0o7777;
    const fd = await call<number>((done) => {
      open(name, openFlags(pflags) | SAFE_FLAGS, mode, done);
    });
    const append = (pflags & OPEN.APPEND) !== 0;
    let file: OpenFile = { kind: 'file', fd, key: `fd ${fd}`, append };
    try {
      const stats = await call<BigIntStats>((done) => fstat(fd, { bigint: true }, done));
      file = { kind: 'file', fd, key: `${stats.dev}:${stats.ino}`, append };
    } catch (error) {
      await closeHandle(file);
      throw error;
    }
    const handle = await context.handles.add(file);
    return new FieldWriter(REPLY.HANDLE).u32(id).string(handle).end();
  };
  return changes ? aloneJob(run) : lookJob(run);
}

/** CLOSE of a file or a folder. The name stops being valid at once, the descriptor closes in its turn. */
export function closeJob(context: Context, request: RequestOf<'close'>): Job {
  const handle = context.handles.take(request.handle);
  if (handle === undefined) return failJob(STATUS.NO_SUCH_FILE, 'No such handle');
  return {
    access:
      handle.kind === 'file'
        ? { kind: 'write', key: handle.key, from: 0, to: Infinity }
        : { kind: 'list', key: handle.key },
    replyBytes: SMALL_REPLY_BYTES,
    run: async () => {
      await closeHandle(handle);
      return statusReply(request.id, STATUS.OK);
    },
  };
}

export function readJob(context: Context, request: RequestOf<'read'>): Job {
  const file = context.handles.file(request.handle);
  if (file === undefined) return failJob(STATUS.FAILURE, 'No such handle');
  const { id, offset } = request;
  const length = Math.min(request.length, MAX_DATA_BYTES);
  if (!Number.isSafeInteger(offset + length)) {
    return failJob(STATUS.BAD_MESSAGE, 'Offset out of range');
  }
  const job = {
    access: { kind: 'read', key: file.key, from: offset, to: offset + length },
    replyBytes: length + DATA_HEADER_BYTES,
  } as const;
  if (context.spare !== undefined) {
    const { spare } = context;
    return directJob(job, () => {
      const reply = spare.take(DATA_HEADER_BYTES + length);
      return dataReply(id, reply, readSync(file.fd, reply, DATA_HEADER_BYTES, length, offset));
    });
  }
  return {
    ...job,
    run: async () => {
      // The file is read to where the reply wants it. It owns its memory: a stream may hold on to it
      // long after its write callback.
      const whole = Buffer.allocUnsafeSlow(DATA_HEADER_BYTES + length);
      const count = await call<number>((done) => {
        read(file.fd, whole, DATA_HEADER_BYTES, length, offset, done);
      });
      const reply = dataReply(id, whole, count);
      // A short file must not pin the memory of a long one.
      return count < length / 2 ? Buffer.from(reply) : reply;
    },
  };
}

/** The DATA packet in `reply`, which has `count` bytes of the file behind the header. */
function dataReply(id: number, reply: Buffer, count: number): Buffer {
  if (count === 0 && reply.length > DATA_HEADER_BYTES) throw new StatusError(STATUS.EOF);
  const end = DATA_HEADER_BYTES + count;
  reply.writeUInt32BE(end - 4, 0);
  reply.writeUInt8(REPLY.DATA, 4);
  reply.writeUInt32BE(id, 5);
  reply.writeUInt32BE(count, 9);
  return reply.subarray(0, end);
}

export function writeJob(context: Context, request: RequestOf<'write'>): Job {
  if (context.readOnly) return failJob(STATUS.PERMISSION_DENIED);
  const file = context.handles.file(request.handle);
  if (file === undefined) return failJob(STATUS.FAILURE, 'No such handle');
  const { id, offset, data } = request;
  if (!Number.isSafeInteger(offset + data.length)) {
    return failJob(STATUS.BAD_MESSAGE, 'Offset out of range');
  }
  const [from, to] = file.append ? [0, Infinity] : [offset, offset + data.length];
  const job = {
    access: { kind: 'write', key: file.key, from, to },
    replyBytes: SMALL_REPLY_BYTES,
  } as const;
  if (context.spare !== undefined) {
    return directJob(job, () => {
      writeAllNow(file, data, offset);
      return statusReply(id, STATUS.OK);
    });
  }
  return {
    ...job,
    run: async () => {
      await writeAll(file, data, offset);
      return statusReply(id, STATUS.OK);
    },
  };
}

/**
 * Writes all of `data`: at `offset`, or at the end of a file opened for appending.
 * @throws the system's error; what was written before it stays.
 */
export async function writeAll(file: OpenFile, data: Buffer, offset: number): Promise<void> {
  let done = 0;
  // Once even for no data: a handle that may not be written says so.
  do {
    const at = done;
    const count = await call<number>((end) => {
      write(file.fd, data, at, data.length - at, file.append ? null : offset + at, end);
    });
    if (count === 0 && data.length > 0) {
      throw new StatusError(STATUS.FAILURE, 'Nothing could be written');
    }
    done += count;
  } while (done < data.length);
}

/** As {@link writeAll}, on this thread. */
function writeAllNow(file: OpenFile, data: Buffer, offset: number): void {
  let done = 0;
  do {
    const position = file.append ? null : offset + done;
    const count = writeSync(file.fd, data, done, data.length - done, position);
    if (count === 0 && data.length > 0) {
      throw new StatusError(STATUS.FAILURE, 'Nothing could be written');
    }
    done += count;
  } while (done < data.length);
}

export function fstatJob(context: Context, request: RequestOf<'fstat'>): Job {
  const file = context.handles.file(request.handle);
  if (file === undefined) return failJob(STATUS.FAILURE, 'No such handle');
  return lookJob(async () => {
    const stats = await call<BigIntStats>((done) => fstat(file.fd, { bigint: true }, done));
    const writer = new FieldWriter(REPLY.ATTRS).u32(request.id);
    writeStats(writer, stats);
    return writer.end();
  });
}
