import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { HoldfastError, limits } from '../../src/shared/common/index.js';
import { OPEN, REQUEST, STATUS } from '../../src/main/agent/sftp/protocol.js';
import { FieldWriter } from '../../src/main/agent/sftp/writer.js';
import { checkLeaks, seededRandom, tempDir, waitFor } from '../support/index.js';
import { dataOf, statusOf } from '../support/sftp/raw-client.js';
import { openSession } from '../support/sftp/session.js';

checkLeaks();

const random = seededRandom();

const framed = (body: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
};

/** How a session ended: its code, or `ended`. */
async function endOf(served: Promise<void>): Promise<string> {
  return await served.then(
    () => 'ended',
    (error: unknown) => (error instanceof HoldfastError ? error.code : String(error)),
  );
}

test('sftp hostile - 300 bad packets: each gets a status or ends its own session', async () => {
  const cwd = tempDir();
  const bystander = await openSession({ cwd });
  const types = Object.values(REQUEST).filter((type) => type !== REQUEST.INIT);
  let ended = 0;
  for (let i = 0; i < 300; i += 1) {
    writeFileSync(`${cwd}/a`, 'content');
    const session = await openSession({ cwd });
    await session.client.handle('a', OPEN.READ);
    const good = new FieldWriter(random.pick([...types, 0, 22, 199, 201, 255]))
      .u32(9999)
      .string(random.pick([Buffer.from([0, 0, 0, 0]), Buffer.from('a'), Buffer.from('x\0y')]))
      .u64(random.pick([0n, 2n ** 31n, 2n ** 63n, 2n ** 64n - 1n]))
      .u32(random.pick([0, 1, 0x8000_0000, 0xffff_ffff]))
      .raw(random.bytes(random.int(0, 40)))
      .end()
      .subarray(4);
    const body = Buffer.from(good);
    switch (random.int(0, 3)) {
      case 0:
        body.writeUInt32BE(0xffff_ffff, 5);
        break;
      case 1:
        body[random.int(5, body.length - 1)] = random.int(0, 255);
        break;
      default:
        break;
    }
    const cut = random.next() < 0.4 ? body.subarray(0, random.int(1, body.length - 1)) : body;
    const bytes = framed(Buffer.from(cut));
    if (random.next() < 0.1) bytes.writeUInt32BE(random.pick([0, 0x7fff_ffff, 0xffff_ffff]));
    const end = endOf(session.served);
    session.client.send(bytes);
    session.client.end();
    const result = await Promise.race([end, sleep(10_000, 'hangs', { ref: false })]);
    assert.ok(
      ['ended', 'ERR_PROTOCOL', 'ERR_MESSAGE_TOO_LARGE'].includes(result),
      `${result} for ${bytes.toString('hex')}`,
    );
    if (result === 'ended') assert.equal(session.client.strays, 1);
    else {
      ended += 1;
      assert.ok(session.records.some((r) => r.level === 'warn' && r.fields['code'] === result));
    }
    assert.ok(!session.records.some((r) => r.level === 'error'), JSON.stringify(session.records));
  }
  assert.ok(ended > 0 && ended < 300);
  assert.equal(
    statusOf(await bystander.client.named(REQUEST.STAT, 'nowhere')),
    STATUS.NO_SUCH_FILE,
  );
  await bystander.close();
});

test('sftp hostile - requests before INIT and a second INIT end the session', async () => {
  const cwd = tempDir();
  const early = await openSession({ cwd, greet: false });
  early.client.send(new FieldWriter(REQUEST.STAT).u32(1).string('a').end());
  assert.equal(await endOf(early.served), 'ERR_PROTOCOL');
  const twice = await openSession({ cwd });
  twice.client.send(new FieldWriter(REQUEST.INIT).u32(3).end());
  assert.equal(await endOf(twice.served), 'ERR_PROTOCOL');
});

test('sftp hostile - bad handles get a failure and nothing else', async () => {
  const cwd = tempDir();
  writeFileSync(`${cwd}/a`, 'content');
  const session = await openSession({ cwd });
  const { client } = session;
  const folder = await client.named(REQUEST.OPENDIR, '.');
  const bad: Buffer[] = [
    Buffer.alloc(0),
    Buffer.from([0xff, 0xff, 0xff, 0xff]),
    Buffer.alloc(5),
    Buffer.alloc(1000),
  ];
  if (folder.kind === 'handle') bad.push(folder.handle);
  for (const handle of bad) {
    assert.equal(statusOf(await client.read(handle, 0, 5)), STATUS.FAILURE);
    assert.equal(statusOf(await client.write(handle, 0, Buffer.from('x'))), STATUS.FAILURE);
    for (const type of [REQUEST.FSTAT]) {
      assert.equal(statusOf(await client.request(type, (f) => f.string(handle))), STATUS.FAILURE);
    }
  }
  assert.equal(statusOf(await client.read(Buffer.alloc(4), 0, 5)), STATUS.FAILURE);
  await session.close();
});

test('sftp hostile - a READ of 4 GiB yields one packet', async () => {
  const cwd = tempDir();
  writeFileSync(`${cwd}/a`, Buffer.alloc(1_000_000, 7));
  const session = await openSession({ cwd });
  const handle = await session.client.handle('a', OPEN.READ);
  const data = dataOf(await session.client.read(handle, 0, 0xffff_ffff));
  assert.equal(data.length, limits.SFTP_PACKET_BYTES - 1024);
  assert.equal(dataOf(await session.client.read(handle, 0, 0)).length, 0);
  await session.close();
});

test('sftp hostile - 10,000 unread READs hold the client, not memory, and then all arrive', async () => {
  const SIZE = 140_000;
  const cwd = tempDir();
  writeFileSync(`${cwd}/a`, Buffer.alloc(SIZE, 7));
  const session = await openSession({ cwd });
  const { client, stream } = session;
  const handle = await client.handle('a', OPEN.READ);
  stream.pause();
  const before = process.memoryUsage();
  const count = 10_000;
  const reads = Array.from({ length: count }, async () => {
    return dataOf(await client.read(handle, 0, 0xffff_ffff)).length;
  });
  await sleep(500);
  const held = process.memoryUsage();
  const grown = held.arrayBuffers - before.arrayBuffers;
  assert.ok(grown < 8 * limits.MIB, `${grown} bytes of buffers held`);
  assert.ok(stream.writableLength > 100_000, 'the server stopped reading');
  stream.resume();
  let total = 0;
  for (const read of reads) total += await read;
  assert.equal(total, count * SIZE);
  await session.close();
});

test('sftp hostile - a million bytes of tiny unread replies are held too', async () => {
  const cwd = tempDir();
  const session = await openSession({ cwd });
  const { client, stream } = session;
  stream.pause();
  const count = 50_000;
  const packet = new FieldWriter(REQUEST.STAT).u32(1).string('nowhere').end();
  const hundred = Buffer.concat(Array.from({ length: 100 }, () => packet));
  for (let i = 0; i < count; i += 100) stream.write(hundred);
  await waitFor(() => stream.readableLength > 0, { what: 'a first reply' });
  await sleep(300);
  assert.ok(stream.writableLength > 0, 'the server stopped reading');
  client.end();
  stream.resume();
  await session.served;
  await client.ended;
  assert.equal(client.strays, count);
});
