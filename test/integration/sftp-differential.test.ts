import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { test } from 'node:test';
import { OPEN, REQUEST } from '../../src/main/agent/sftp/protocol.js';
import {
  checkLeaks,
  findProgram,
  requireProgram,
  seededRandom,
  tempDir,
} from '../support/index.js';
import { RawSftp, writeAttrs, type Attrs, type Reply } from '../support/sftp/raw-client.js';
import { describeTree } from '../support/sftp/tree.js';

checkLeaks();

/**
 * Our server and OpenSSH's get the same random requests in two folders that start out empty: every
 * reply must be of the same kind and say the same, and the trees must end up the same.
 */
const SERVER = fileURLToPath(new URL('../support/sftp/stdio-server.js', import.meta.url));
const SEQUENCES = 16;
const STEPS = 150;
const NOBODY = 65_534;
const random = seededRandom();

const NAMES = ['a', 'b', 'c', 'd', 'd/a', 'd/b', 'd/e', 'd/e/a', 'l', 'd/l', 'a/x', 'a/', 'd/'];
const ODD_NAMES = ['', '.', 'd/.', 'd/../a', './/b', 'n'.repeat(256), `d/${'p/'.repeat(2048)}`];
const TARGETS = ['a', 'b', 'd', '../b', 'l', 'd/l', 'nowhere', './d/../d', 'a/', 'nowhere/x'];
const MODES = [0o600, 0o644, 0o755, 0o700, 0o4755, 0o1777, 0o444, 0o500, 0o000];

const name = (): string => (random.next() < 0.1 ? random.pick(ODD_NAMES) : random.pick(NAMES));

interface Side {
  readonly client: RawSftp;
  readonly root: string;
  readonly handles: Buffer[];
}

/** One request, made for each side with its own handle. */
type Step = (side: Side) => Promise<Reply>;

function attrs(): Attrs {
  return {
    ...(random.next() < 0.3 ? { size: random.pick([0, 1, 10, 5000, 300_000]) } : {}),
    ...(random.next() < 0.5 ? { permissions: random.pick(MODES) } : {}),
    ...(random.next() < 0.4
      ? { atime: random.int(0, 2 ** 31), mtime: random.int(0, 2 ** 31) }
      : {}),
    ...(random.next() < 0.1 ? { uid: random.pick([0, 1, NOBODY]), gid: 0 } : {}),
  };
}

function step(handleCount: number): Step {
  // The first is the target of copies, which no name leads to: we refuse to copy a file onto itself
  // by another name, OpenSSH does not.
  const slot = random.int(1, handleCount);
  const handleOf = (side: Side): Buffer => side.handles[slot] ?? Buffer.from([9, 9, 9, 9]);
  const [one, two] = [name(), name()];
  const some = attrs();
  const offset = random.pick([0, 1, 7, 100, 4096, 200_000]);
  const data = Buffer.from(random.bytes(random.pick([0, 1, 10, 3000])));
  const flags = random.int(0, 0x3f);
  const length = random.pick([0, 1, 100, 5000]);
  const named = (type: number): Step => {
    return async ({ client }) => await client.named(type, one);
  };
  const twoNames = (extension: string): Step => {
    return async ({ client }) => await client.extended(extension, (f) => f.string(one).string(two));
  };
  const withHandle = (type: number): Step => {
    return async (side) => await side.client.request(type, (f) => f.string(handleOf(side)));
  };
  const target = random.pick(TARGETS);
  return random.pick<Step>([
    async ({ client }) => await client.open(one, flags, some),
    async ({ client }) => await client.open(one, OPEN.WRITE | OPEN.CREAT, some),
    async ({ client }) => await client.open(one, OPEN.READ | OPEN.WRITE | OPEN.CREAT),
    async (side) => await side.client.write(handleOf(side), offset, data),
    async (side) => await side.client.write(handleOf(side), offset, data),
    async (side) => await side.client.read(handleOf(side), offset, length),
    async (side) => await side.client.read(handleOf(side), offset, length),
    async (side) => {
      const handle = handleOf(side);
      // OpenSSH gives a number out again, we do not: a closed one must not be used any more.
      side.handles.splice(slot, 1);
      return await side.client.close(handle);
    },
    withHandle(REQUEST.FSTAT),
    withHandle(REQUEST.READDIR),
    named(REQUEST.STAT),
    named(REQUEST.LSTAT),
    named(REQUEST.OPENDIR),
    named(REQUEST.REMOVE),
    named(REQUEST.RMDIR),
    named(REQUEST.REALPATH),
    named(REQUEST.READLINK),
    async ({ client }) => await client.setstat(one, some),
    async (side) =>
      await side.client.request(REQUEST.FSETSTAT, (f) =>
        writeAttrs(f.string(handleOf(side)), some),
      ),
    async ({ client }) =>
      await client.request(REQUEST.MKDIR, (f) => writeAttrs(f.string(one), some)),
    async ({ client }) => await client.request(REQUEST.MKDIR, (f) => f.string('d').u32(0)),
    async ({ client }) => await client.request(REQUEST.MKDIR, (f) => f.string('d/e').u32(0)),
    async ({ client }) => await client.request(REQUEST.RENAME, (f) => f.string(one).string(two)),
    async ({ client }) =>
      await client.request(REQUEST.SYMLINK, (f) => f.string(target).string(two)),
    twoNames('posix-rename@openssh.com'),
    twoNames('hardlink@openssh.com'),
    async (side) =>
      await side.client.extended('fsync@openssh.com', (f) => f.string(handleOf(side))),
    async ({ client }) =>
      await client.extended('lsetstat@openssh.com', (f) => writeAttrs(f.string(one), some)),
    async ({ client }) => await client.extended('expand-path@openssh.com', (f) => f.string(one)),
    // Only to the end: with a length OpenSSH 9.2 reports success even if its last write failed.
    async (side) =>
      await side.client.extended('copy-data', (f) =>
        f.string(handleOf(side)).u64(BigInt(offset)).u64(0n).string(side.handles[0]!).u64(0n),
      ),
  ]);
}

/** What a reply says, without what must differ: root, handle names, times that were not set, longnames. */
function gist(reply: Reply, root: string): unknown {
  switch (reply.kind) {
    case 'status':
      return `status ${reply.code}`;
    case 'handle':
      return 'handle';
    case 'data':
      return reply.data.toString('hex');
    case 'names':
      return reply.names
        .map(
          (entry) =>
            `${entry.name.toString('latin1').replace(path.dirname(root), 'TOP')} ${show(entry.attrs)}`,
        )
        .sort();
    case 'attrs':
      return show(reply.attrs);
    case 'extended':
      return 'extended';
  }
}

function show({ size, uid, gid, permissions }: Attrs): string {
  // How many bytes a folder takes depends on what was in it before.
  const isFolder = ((permissions ?? 0) & 0o170000) === 0o040000;
  return `${isFolder ? '' : size} ${uid} ${gid} ${permissions?.toString(8)}`;
}

async function start(command: string, args: readonly string[], root: string, uid: number) {
  const child: ChildProcess = spawn(command, args, {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, HOLDFAST_TEST_UID: String(uid) },
    // Ours needs the rights of this user until it is loaded, and changes by itself.
    ...(uid > 0 && command !== process.execPath ? { uid, gid: uid } : {}),
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const client = new RawSftp(child.stdout!, child.stdin!);
  await client.init();
  const side: Side = { client, root, handles: [] };
  const stop = async (): Promise<void> => {
    client.end();
    await exited;
  };
  return { side, stop };
}

test(
  'sftp differential - random requests have the same outcome as with sftp-server of OpenSSH',
  requireProgram('sftp-server'),
  async () => {
    const theirs = findProgram('sftp-server')!;
    let steps = 0;
    for (let sequence = 0; sequence < SEQUENCES; sequence += 1) {
      // As root nothing is forbidden; half of the sequences want the refusals as well.
      const uid = process.getuid?.() === 0 && sequence % 2 === 1 ? NOBODY : 0;
      const roots = [`${tempDir()}/root`, `${tempDir()}/root`] as const;
      for (const root of roots) {
        mkdirSync(root);
        if (uid > 0) {
          chownSync(root, uid, uid);
          chownSync(`${root}/..`, uid, uid);
        }
      }
      const ours = await start(process.execPath, [SERVER], roots[0], uid);
      const other = await start(theirs, [], roots[1], uid);
      for (const { client, handles } of [ours.side, other.side]) {
        handles.push(await client.handle('copy-target', OPEN.READ | OPEN.WRITE | OPEN.CREAT));
      }
      const history: string[] = [];
      try {
        for (let i = 0; i < STEPS; i += 1) {
          const take = step(ours.side.handles.length);
          const [mine, wanted] = [await take(ours.side), await take(other.side)];
          const [got, want] = [gist(mine, roots[0]), gist(wanted, roots[1])];
          history.push(
            `${i} ${take.toString().replaceAll(/\s+/g, ' ').slice(0, 150)} ${String(want).slice(0, 80)}`,
          );
          assert.deepEqual(
            got,
            want,
            `seed ${random.seed} sequence ${sequence}\n${history.slice(-12).join('\n')}`,
          );
          if (mine.kind === 'handle' && wanted.kind === 'handle') {
            ours.side.handles.push(mine.handle);
            other.side.handles.push(wanted.handle);
          }
          steps += 1;
        }
      } finally {
        await Promise.all([ours.stop(), other.stop()]);
      }
      const [got, want] = roots.map((root) => describeTree(Buffer.from(root)));
      assert.deepEqual(got, want, `seed ${random.seed} sequence ${sequence}`);
    }
    assert.equal(steps, SEQUENCES * STEPS);
  },
);
