import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statfsSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import { test } from 'node:test';
import { limits } from '../../src/shared/common/index.js';
import { OPEN, REQUEST, STATUS } from '../../src/main/agent/sftp/protocol.js';
import { checkLeaks, seededRandom, tempDir, waitFor } from '../support/index.js';
import {
  attrsOf,
  dataOf,
  handleOf,
  nameOf,
  statusOf,
  writeAttrs,
} from '../support/sftp/raw-client.js';
import { openSession } from '../support/sftp/session.js';
import { HARD_NAMES, joinBytes } from '../support/sftp/tree.js';

checkLeaks();

const random = seededRandom();
const CREATE = OPEN.WRITE | OPEN.CREAT;

test('sftp server - names, link targets and listings keep every byte', async () => {
  const cwd = tempDir();
  const session = await openSession({ cwd });
  const { client } = session;
  for (const name of HARD_NAMES) {
    const handle = await client.handle(name, CREATE);
    assert.equal(statusOf(await client.write(handle, 0, name)), STATUS.OK);
    assert.equal(statusOf(await client.close(handle)), STATUS.OK);
    assert.ok(readFileSync(joinBytes(cwd, name)).equals(name));
    assert.equal(attrsOf(await client.named(REQUEST.STAT, name)).size, name.length);
    assert.ok(nameOf(await client.named(REQUEST.REALPATH, name)).equals(joinBytes(cwd, name)));
    const link = Buffer.from('link');
    assert.equal(
      statusOf(await client.request(REQUEST.SYMLINK, (f) => f.string(name).string(link))),
      STATUS.OK,
    );
    assert.ok(readlinkSync(joinBytes(cwd, link), { encoding: 'buffer' }).equals(name));
    assert.ok(nameOf(await client.named(REQUEST.READLINK, link)).equals(name));
    assert.equal(statusOf(await client.named(REQUEST.REMOVE, link)), STATUS.OK);
  }
  const listed = (await client.list('.')).map(({ name }) => name.toString('latin1')).sort();
  const want = HARD_NAMES.map((name) => name.toString('latin1'));
  assert.deepEqual(listed, [...want, '.', '..'].sort());
  await session.close();
});

test('sftp server - sizes, modes, times and owners are told and set exactly', async () => {
  const cwd = tempDir();
  const session = await openSession({ cwd });
  const { client } = session;
  writeFileSync(`${cwd}/a`, 'hello');
  // As milliseconds in a double this rounds up to the next second.
  execFileSync('touch', ['-d', '2024-05-06 07:08:09.999999999 UTC', `${cwd}/a`]);
  const seconds = Date.UTC(2024, 4, 6, 7, 8, 9) / 1000;
  assert.deepEqual(attrsOf(await client.named(REQUEST.STAT, 'a')), {
    size: 5,
    uid: statSync(`${cwd}/a`).uid,
    gid: statSync(`${cwd}/a`).gid,
    permissions: statSync(`${cwd}/a`).mode,
    atime: seconds,
    mtime: seconds,
  });
  for (const permissions of [0o7777, 0o4755, 0o100600, 0]) {
    assert.equal(statusOf(await client.setstat('a', { permissions })), STATUS.OK);
    assert.equal(statSync(`${cwd}/a`).mode & 0o7777, permissions & 0o7777);
  }
  for (const mtime of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
    assert.equal(statusOf(await client.setstat('a', { atime: 7, mtime })), STATUS.OK);
    const attrs = attrsOf(await client.named(REQUEST.STAT, 'a'));
    assert.equal(attrs.mtime, mtime);
    assert.equal(attrs.atime, 7);
  }
  assert.equal(statusOf(await client.setstat('a', { size: 2 })), STATUS.OK);
  assert.equal(readFileSync(`${cwd}/a`, 'utf8'), 'he');
  const handle = await client.handle('a', OPEN.WRITE);
  await client.request(REQUEST.FSETSTAT, (f) =>
    writeAttrs(f.string(handle), { size: 4, permissions: 0o640, mtime: 99 }),
  );
  const attrs = attrsOf(await client.request(REQUEST.FSTAT, (f) => f.string(handle)));
  assert.equal(attrs.size, 4);
  assert.equal((attrs.permissions ?? 0) & 0o7777, 0o640);
  assert.equal(attrs.mtime, 99);
  if (process.getuid?.() === 0) {
    assert.equal(statusOf(await client.setstat('a', { uid: 12345, gid: 54321 })), STATUS.OK);
    assert.equal(statSync(`${cwd}/a`).uid, 12345);
    assert.equal(statSync(`${cwd}/a`).gid, 54321);
  }
  await session.close();
});

test('sftp server - reads of one file are answered in their order, whatever takes longer', async () => {
  const cwd = tempDir();
  const session = await openSession({ cwd });
  const { client } = session;
  writeFileSync(`${cwd}/a`, Buffer.alloc(8 * limits.MIB));
  const handle = await client.handle('a', OPEN.READ | OPEN.WRITE);
  const answers: string[] = [];
  const asked: string[] = [];
  const ask = (name: string, reply: Promise<unknown>): Promise<unknown> => {
    asked.push(name);
    return reply.then(() => answers.push(name));
  };
  const all: Promise<unknown>[] = [];
  for (let round = 0; round < 16; round += 1) {
    // Long, short, and behind the end: left to themselves, the later ones are done first.
    all.push(ask(`long ${round}`, client.read(handle, round * 100_000, 200_000)));
    all.push(ask(`short ${round}`, client.read(handle, round, 1)));
    all.push(ask(`end ${round}`, client.read(handle, 9 * limits.MIB, 1)));
  }
  await Promise.all(all);
  assert.deepEqual(answers, asked);
  // A read that has to wait for a write is not overtaken either.
  answers.length = asked.length = 0;
  const write = client.write(handle, limits.MIB, Buffer.alloc(100_000));
  await Promise.all([
    write,
    ask('in front', client.read(handle, limits.MIB, 100)),
    ask('behind', client.read(handle, 4 * limits.MIB, 100)),
  ]);
  assert.deepEqual(answers, asked);
  await session.close();
});

test('sftp server - writes of one file are answered in their order: OpenSSH truncates an upload otherwise', async () => {
  const cwd = tempDir();
  const session = await openSession({ cwd });
  const { client } = session;
  const handle = await client.handle('a', CREATE | OPEN.READ);
  const answers: number[] = [];
  // Long and short in turn: left to themselves, the short ones are done first.
  const sizes = Array.from({ length: 48 }, (_, at) => (at % 3 === 0 ? 200_000 : at % 3));
  let offset = 0;
  const all = sizes.map((size, at) => {
    const from = offset;
    offset += size;
    const done =
      at % 8 === 7
        ? client.read(handle, 1024 * limits.MIB, 1)
        : client.write(handle, from, Buffer.alloc(size));
    return done.then(() => answers.push(at));
  });
  await Promise.all(all);
  assert.deepEqual(answers, [...sizes.keys()]);
  await session.close();
});

test('sftp server - of two names the first is judged first, also where the second is empty', async () => {
  const session = await openSession({ cwd: tempDir() });
  const reply = await session.client.extended('hardlink@openssh.com', (f) =>
    f.string('n'.repeat(256)).string(''),
  );
  assert.equal(statusOf(reply), STATUS.BAD_MESSAGE);
  await session.close();
});

test('sftp server - a link is changed itself by lsetstat', async () => {
  const cwd = tempDir();
  const session = await openSession({ cwd });
  const { client } = session;
  writeFileSync(`${cwd}/file`, '');
  symlinkSync('file', `${cwd}/link`);
  utimesSync(`${cwd}/file`, 50, 50);
  const set = async (name: string, attrs: Parameters<typeof writeAttrs>[1]): Promise<number> =>
    statusOf(
      await client.extended('lsetstat@openssh.com', (f) => writeAttrs(f.string(name), attrs)),
    );
  assert.equal(await set('link', { mtime: 77 }), STATUS.OK);
  assert.equal(lstatSync(`${cwd}/link`).mtimeMs, 77_000);
  assert.equal(statSync(`${cwd}/file`).mtimeMs, 50_000);
  assert.notEqual(await set('link', { permissions: 0o600 }), STATUS.OK);
  assert.equal(await set('link', { size: 0 }), STATUS.BAD_MESSAGE);
  assert.equal(await set('file', { permissions: 0o600 }), STATUS.OK);
  assert.equal(statSync(`${cwd}/file`).mode & 0o777, 0o600);
  await session.close();
});

test('sftp server - append writes at the end, exclusive refuses what exists', async () => {
  const cwd = tempDir();
  const session = await openSession({ cwd });
  const { client } = session;
  writeFileSync(`${cwd}/a`, '123');
  const handle = await client.handle('a', OPEN.WRITE | OPEN.APPEND);
  const writes = ['4', '5', '6', '7'].map((text) => client.write(handle, 0, Buffer.from(text)));
  for (const write of writes) assert.equal(statusOf(await write), STATUS.OK);
  assert.equal(readFileSync(`${cwd}/a`, 'utf8'), '1234567');
  assert.equal(statusOf(await client.open('a', CREATE | OPEN.EXCL)), STATUS.FAILURE);
  handleOf(await client.open('b', CREATE | OPEN.EXCL, { permissions: 0o600 }));
  assert.equal(statSync(`${cwd}/b`).mode & 0o777, 0o600);
  await session.close();
});

test('sftp server - offsets up to 2^53 work, those beyond are refused', async () => {
  const cwd = tempDir();
  const session = await openSession({ cwd });
  const { client } = session;
  const handle = await client.handle('sparse', CREATE | OPEN.READ);
  const far = 2 ** 40;
  assert.equal(statusOf(await client.write(handle, far, Buffer.from('x'))), STATUS.OK);
  assert.equal(attrsOf(await client.named(REQUEST.STAT, 'sparse')).size, far + 1);
  assert.equal(dataOf(await client.read(handle, far - 1, 10)).toString(), '\0x');
  assert.equal(statusOf(await client.read(handle, far + 1, 10)), STATUS.EOF);
  for (const offset of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 53n - 5n]) {
    assert.equal(statusOf(await client.read(handle, offset, 10)), STATUS.BAD_MESSAGE);
    assert.equal(
      statusOf(await client.write(handle, offset, Buffer.alloc(10))),
      STATUS.BAD_MESSAGE,
    );
  }
  assert.equal(dataOf(await client.read(handle, far, 1)).toString(), 'x');
  await session.close();
});

test('sftp server - pipelined requests give what they would one by one', async () => {
  const cwd = tempDir();
  const session = await openSession({ cwd });
  const { client } = session;
  const handle = await client.handle('a', CREATE | OPEN.READ);
  const model = Buffer.alloc(5000);
  let size = 0;
  const checks: Promise<void>[] = [];
  for (let i = 0; i < 400; i += 1) {
    const at = random.int(0, 4000);
    const data = Buffer.from(random.bytes(random.int(1, 1000)));
    if (random.next() < 0.5) {
      data.copy(model, at);
      size = Math.max(size, at + data.length);
      checks.push(client.write(handle, at, data).then((r) => assert.equal(statusOf(r), 0)));
    } else {
      const want = Buffer.from(model.subarray(at, Math.min(size, at + data.length)));
      checks.push(
        client.read(handle, at, data.length).then((reply) => {
          if (want.length === 0) assert.equal(statusOf(reply), STATUS.EOF);
          else assert.ok(dataOf(reply).equals(want));
        }),
      );
    }
    if (i % 20 === 0) {
      const want = size;
      checks.push(
        client
          .request(REQUEST.FSTAT, (f) => f.string(handle))
          .then((reply) => assert.equal(attrsOf(reply).size, want)),
      );
    }
  }
  const closed = client.close(handle);
  const late = client.read(handle, 0, 1);
  const removed = client.named(REQUEST.REMOVE, 'a');
  const gone = client.named(REQUEST.STAT, 'a');
  const made = client.request(REQUEST.MKDIR, (f) => f.string('a').u32(0));
  const there = client.named(REQUEST.STAT, 'a');
  await Promise.all(checks);
  assert.equal(statusOf(await closed), STATUS.OK);
  assert.equal(statusOf(await late), STATUS.FAILURE);
  assert.equal(statusOf(await removed), STATUS.OK);
  assert.equal(statusOf(await gone), STATUS.NO_SUCH_FILE);
  assert.equal(statusOf(await made), STATUS.OK);
  assert.equal((attrsOf(await there).permissions ?? 0) & 0o170000, 0o040000);
  await session.close();
});

test('sftp server - FIFOs and devices do not hold anybody up', async () => {
  const cwd = tempDir();
  execFileSync('mkfifo', [`${cwd}/fifo`]);
  const session = await openSession({ cwd });
  const { client } = session;
  const handle = await client.handle('fifo', OPEN.READ);
  assert.equal(statusOf(await client.read(handle, 0, 10)), STATUS.FAILURE);
  assert.equal(statusOf(await client.close(handle)), STATUS.OK);
  assert.equal(statusOf(await client.open('fifo', OPEN.WRITE)), STATUS.FAILURE);
  const both = await client.handle('fifo', OPEN.READ | OPEN.WRITE);
  const appending = await client.handle('fifo', OPEN.WRITE | OPEN.APPEND);
  assert.equal(statusOf(await client.read(both, 0, 10)), STATUS.FAILURE);
  // More than a pipe holds.
  const fill = await client.write(appending, 0, Buffer.alloc(200_000));
  assert.equal(statusOf(fill), STATUS.FAILURE);
  assert.equal(statusOf(await client.setstat('fifo', { size: 0 })), STATUS.BAD_MESSAGE);
  const zero = await client.handle('/dev/zero', OPEN.READ);
  assert.equal(dataOf(await client.read(zero, 5, 1000)).length, 1000);
  const nothing = await client.handle('/dev/null', OPEN.READ | OPEN.WRITE);
  assert.equal(statusOf(await client.read(nothing, 0, 10)), STATUS.EOF);
  assert.equal(statusOf(await client.write(nothing, 0, Buffer.from('x'))), STATUS.OK);
  assert.equal(statusOf(await client.setstat('/dev/null', { size: 0 })), STATUS.BAD_MESSAGE);
  await session.close();
});

test('sftp server - a folder of twenty thousand comes in pieces, whole and once', async () => {
  const cwd = tempDir();
  const count = 20_000;
  mkdirSync(`${cwd}/big`);
  for (let i = 0; i < count; i += 1) writeFileSync(`${cwd}/big/${i}`, '');
  const session = await openSession({ cwd });
  const [one, two] = await Promise.all([session.client.list('big'), session.client.list('big')]);
  for (const list of [one, two]) {
    const names = new Set(list.map(({ name }) => name.toString()));
    assert.equal(list.length, count + 2);
    assert.equal(names.size, count + 2);
  }
  const entry = one.find(({ name }) => name.toString() === '123')!;
  assert.match(entry.longname.toString(), /^-rw\S+ +1 \S+ +\S+ +0 \w{3} .* 123$/);
  assert.equal(entry.attrs.size, 0);
  await session.close();
});

test('sftp server - handles are counted, and a closed one makes room', async () => {
  const cwd = tempDir();
  writeFileSync(`${cwd}/a`, 'a');
  const session = await openSession({ cwd });
  const { client } = session;
  const before = readdirSync('/proc/self/fd').length;
  const opens = Array.from({ length: limits.SFTP_HANDLES + 50 }, () => client.open('a', OPEN.READ));
  const replies = await Promise.all(opens);
  const handles = replies.filter((reply) => reply.kind === 'handle');
  assert.equal(handles.length, limits.SFTP_HANDLES);
  assert.equal(statusOf(await client.named(REQUEST.OPENDIR, '.')), STATUS.FAILURE);
  assert.ok(readdirSync('/proc/self/fd').length - before <= limits.SFTP_HANDLES);
  assert.equal(statusOf(await client.close(handleOf(handles[0]!))), STATUS.OK);
  assert.equal(statusOf(await client.close(handleOf(handles[0]!))), STATUS.NO_SUCH_FILE);
  handleOf(await client.named(REQUEST.OPENDIR, '.'));
  await session.close();
  assert.ok(readdirSync('/proc/self/fd').length <= before);
});

test('sftp server - extensions say what the system says', async () => {
  const cwd = tempDir();
  const session = await openSession({ cwd });
  const { client } = session;
  assert.deepEqual([...client.extensions.keys()].sort(), [
    'copy-data',
    'expand-path@openssh.com',
    'fstatvfs@openssh.com',
    'fsync@openssh.com',
    'hardlink@openssh.com',
    'home-directory',
    'limits@openssh.com',
    'lsetstat@openssh.com',
    'posix-rename@openssh.com',
    'statvfs@openssh.com',
    'users-groups-by-id@openssh.com',
  ]);
  const handle = await client.handle('a', CREATE | OPEN.READ);
  for (const reply of [
    await client.extended('statvfs@openssh.com', (f) => f.string('.')),
    await client.extended('fstatvfs@openssh.com', (f) => f.string(handle)),
  ]) {
    assert.ok(reply.kind === 'extended');
    const want = statfsSync(cwd);
    assert.equal(reply.fields.u64(), want.bsize);
    assert.equal(reply.fields.u64(), want.bsize);
    assert.equal(reply.fields.u64(), want.blocks);
    assert.equal(reply.fields.left, 64);
  }
  const told = await client.extended('limits@openssh.com', () => undefined);
  assert.ok(told.kind === 'extended');
  assert.deepEqual(
    [1, 2, 3, 4].map(() => told.fields.u64()),
    [262_144, 261_120, 261_120, 256],
  );
  const names = await client.extended('users-groups-by-id@openssh.com', (f) => {
    const ids = Buffer.from([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xf0]);
    f.string(ids).string(ids);
  });
  assert.ok(names.kind === 'extended');
  const root = Buffer.from([0, 0, 0, 4, ...Buffer.from('root'), 0, 0, 0, 0]);
  assert.ok(names.fields.string().equals(root));
  assert.ok(names.fields.string().equals(root));
  const rootHome = await client.extended('home-directory', (f) => f.string('root'));
  assert.equal(nameOf(rootHome).toString(), '/root');
  const home = await client.extended('home-directory', (f) => f.string(''));
  assert.equal(nameOf(home).toString(), os.homedir());
  const unknown = await client.extended('home-directory', (f) => f.string('no-such-user'));
  assert.equal(statusOf(unknown), STATUS.FAILURE);
  const expanded = await client.extended('expand-path@openssh.com', (f) => f.string('~root/x'));
  assert.equal(nameOf(expanded).toString(), '/root/x');
  assert.equal(
    statusOf(await client.extended('fsync@openssh.com', (f) => f.string(handle))),
    STATUS.OK,
  );
  assert.equal(
    statusOf(await client.extended('none@example.com', () => undefined)),
    STATUS.OP_UNSUPPORTED,
  );
  await session.close();
});

test('sftp server - copy-data copies ranges and refuses a file onto itself', async () => {
  const cwd = tempDir();
  const content = Buffer.from(random.bytes(700_000));
  writeFileSync(`${cwd}/a`, content);
  const session = await openSession({ cwd });
  const { client } = session;
  const from = await client.handle('a', OPEN.READ);
  const again = await client.handle('a', OPEN.READ | OPEN.WRITE);
  const to = await client.handle('b', CREATE);
  const copy = async (source: Buffer, at: number, length: number, target: Buffer, start: number) =>
    statusOf(
      await client.extended('copy-data', (f) =>
        f.string(source).u64(BigInt(at)).u64(BigInt(length)).string(target).u64(BigInt(start)),
      ),
    );
  assert.equal(await copy(from, 1000, 0, to, 10), STATUS.OK);
  assert.ok(readFileSync(`${cwd}/b`).subarray(10).equals(content.subarray(1000)));
  assert.equal(await copy(from, 0, 10, to, 0), STATUS.OK);
  assert.ok(readFileSync(`${cwd}/b`).subarray(0, 10).equals(content.subarray(0, 10)));
  assert.equal(await copy(from, 0, 0, again, 5), STATUS.FAILURE);
  assert.equal(await copy(from, 699_999, 5, to, 0), STATUS.EOF);
  await session.close();
});

test('sftp server - what was asked before the end is still answered', async () => {
  const cwd = tempDir();
  writeFileSync(`${cwd}/a`, Buffer.alloc(3_000_000, 1));
  const session = await openSession({ cwd });
  const { client } = session;
  const handle = await client.handle('a', OPEN.READ);
  const reads = Array.from({ length: 500 }, (_, i) => client.read(handle, i * 6000, 6000));
  client.end();
  for (const read of reads) assert.equal(dataOf(await read).length, 6000);
  await session.served;
  await client.ended;
});

test('sftp server - an abort or a lost stream ends it and closes every handle', async () => {
  const cwd = tempDir();
  writeFileSync(`${cwd}/a`, 'a');
  const before = readdirSync('/proc/self/fd').length;
  for (const how of ['abort', 'destroy', 'error'] as const) {
    const abort = new AbortController();
    const session = await openSession({ cwd, signal: abort.signal });
    for (let i = 0; i < 10; i += 1) await session.client.handle('a', OPEN.READ);
    for (let i = 0; i < 100; i += 1) void session.client.named(REQUEST.STAT, 'a');
    if (how === 'abort') abort.abort();
    else session.stream.destroy(how === 'error' ? new Error('gone') : undefined);
    if (how !== 'abort') session.stream.on('error', () => undefined);
    // The other half of a pair does not notice that its partner was destroyed.
    if (how !== 'abort') abort.abort();
    await session.served;
  }
  await waitFor(() => readdirSync('/proc/self/fd').length <= before, { what: 'closed files' });
});
