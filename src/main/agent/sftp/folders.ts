import { lstat, opendir, type BigIntStats, type Dir } from 'node:fs';

import { writeStats } from './attrs.js';
import { call } from './calls.js';
import { failJob, lookJob, type Context, type Job } from './context.js';
import type { OpenFolder } from './handles.js';
import { longName } from './longname.js';
import { REPLY, STATUS } from './protocol.js';
import type { RequestOf } from './requests.js';
import { StatusError } from './status.js';
import { FieldWriter } from './writer.js';

/** Names in one reply, as in OpenSSH; with the longest names they stay under 64 KiB. */
const BATCH = 100;
const BATCH_REPLY_BYTES = 64 * 1024;

/** How many entries are looked at together: enough to keep the pool busy, few enough to share it. */
const LSTATS = 25;

const SLASH = Buffer.from('/');
const DOTS: readonly Buffer[] = [Buffer.from('.'), Buffer.from('..')];

interface Entry {
  readonly name: Buffer;
  readonly stats: BigIntStats;
}

let folders = 0;

export function opendirJob(context: Context, request: RequestOf<'opendir'>): Job {
  return lookJob(async () => {
    const path = context.names.absolute(request.path);
    context.handles.checkRoom();
    const dir = await call<Dir>((done) => {
      // Only as much of the folder as one reply needs is ever in memory. Node passes any encoding
      // on, and its types leave `buffer` out.
      const options = { encoding: 'buffer' as BufferEncoding, bufferSize: BATCH };
      opendir(path, options, done);
    });
    folders += 1;
    const handle = await context.handles.add({
      kind: 'folder',
      dir,
      path,
      key: `folder ${folders}`,
      dotsSent: false,
      ended: false,
    });
    return new FieldWriter(REPLY.HANDLE).u32(request.id).string(handle).end();
  });
}

export function readdirJob(context: Context, request: RequestOf<'readdir'>): Job {
  const folder = context.handles.folder(request.handle);
  if (folder === undefined) return failJob(STATUS.FAILURE, 'No such handle');
  return {
    access: { kind: 'list', key: folder.key },
    replyBytes: BATCH_REPLY_BYTES,
    run: async () => {
      const entries = await nextEntries(folder);
      const tables = await context.accounts.tables();
      const now = Date.now() / 1000;
      const writer = new FieldWriter(REPLY.NAME, 256 * entries.length);
      writer.u32(request.id).u32(entries.length);
      for (const { name, stats } of entries) {
        const line = longName(name.toString('latin1'), stats, tables, now);
        writer.string(name).string(Buffer.from(line, 'latin1'));
        writeStats(writer, stats);
      }
      return writer.end();
    },
  };
}

/** Up to a batch of entries. @throws {StatusError} EOF when there are no more. */
async function nextEntries(folder: OpenFolder): Promise<Entry[]> {
  // What vanished since it was listed is left out; a batch that vanished as a whole is not the end.
  for (;;) {
    const names = await nextNames(folder);
    if (names.length === 0) throw new StatusError(STATUS.EOF);
    const found: Entry[] = [];
    for (let at = 0; at < names.length; at += LSTATS) {
      const some = names.slice(at, at + LSTATS);
      const entries = await Promise.all(some.map((name) => entryOf(folder.path, name)));
      for (const entry of entries) if (entry !== undefined) found.push(entry);
    }
    if (found.length > 0) return found;
  }
}

async function nextNames(folder: OpenFolder): Promise<Buffer[]> {
  const names: Buffer[] = [];
  if (!folder.dotsSent) {
    folder.dotsSent = true;
    names.push(...DOTS);
  }
  while (!folder.ended && names.length < BATCH) {
    const entry = await folder.dir.read();
    if (entry === null) folder.ended = true;
    // Bytes, for the encoding given to opendir.
    else names.push(entry.name as unknown as Buffer);
  }
  return names;
}

async function entryOf(folder: Buffer, name: Buffer): Promise<Entry | undefined> {
  const path = Buffer.concat([folder, SLASH, name]);
  try {
    const stats = await call<BigIntStats>((done) => lstat(path, { bigint: true }, done));
    return { name, stats };
  } catch {
    return undefined;
  }
}
