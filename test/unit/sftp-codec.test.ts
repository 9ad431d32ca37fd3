import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { HoldfastError, limits } from '../../src/shared/common/index.js';
import { floorSeconds, readAttributes } from '../../src/main/agent/sftp/attrs.js';
import { openFlags } from '../../src/main/agent/sftp/files.js';
import { Framer } from '../../src/main/agent/sftp/framer.js';
import { InPlaceFramer } from '../../src/main/agent/sftp/in-place-framer.js';
import { longName, modeText } from '../../src/main/agent/sftp/longname.js';
import { ATTR, OPEN, REQUEST } from '../../src/main/agent/sftp/protocol.js';
import { FieldReader } from '../../src/main/agent/sftp/reader.js';
import { decodeRequest } from '../../src/main/agent/sftp/requests.js';
import { failureReply, statusOfErrno } from '../../src/main/agent/sftp/status.js';
import { FieldWriter } from '../../src/main/agent/sftp/writer.js';
import { seededRandom } from '../support/index.js';

const random = seededRandom();
const RUNS = { seed: random.seed, numRuns: 500 };

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const body = (packet: Buffer): Buffer => packet.subarray(4);
const isProtocolError = (error: unknown): boolean =>
  error instanceof HoldfastError && error.code === 'ERR_PROTOCOL';

test('sftp codec - every field comes back as it was written', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.record({ type: fc.constant('u8' as const), value: fc.integer({ min: 0, max: 255 }) }),
          fc.record({ type: fc.constant('u32' as const), value: fc.nat(0xffff_ffff) }),
          fc.record({ type: fc.constant('u64' as const), value: fc.bigInt(0n, 2n ** 64n - 1n) }),
          fc.record({ type: fc.constant('string' as const), value: fc.uint8Array() }),
        ),
      ),
      (fields) => {
        const writer = new FieldWriter(7, 8);
        for (const field of fields) {
          if (field.type === 'u8') writer.u8(field.value);
          else if (field.type === 'u32') writer.u32(field.value);
          else if (field.type === 'u64') writer.u64(field.value);
          else writer.string(Buffer.from(field.value));
        }
        const packet = writer.end();
        assert.equal(packet.readUInt32BE(0), packet.length - 4);
        const reader = new FieldReader(body(packet));
        assert.equal(reader.u8(), 7);
        for (const field of fields) {
          if (field.type === 'u8') assert.equal(reader.u8(), field.value);
          else if (field.type === 'u32') assert.equal(reader.u32(), field.value);
          else if (field.type === 'string')
            assert.deepEqual([...reader.string()], [...field.value]);
          else {
            const fits = field.value <= BigInt(Number.MAX_SAFE_INTEGER);
            assert.equal(reader.u64(), fits ? Number(field.value) : Infinity);
          }
        }
        assert.equal(reader.left, 0);
      },
    ),
    RUNS,
  );
});

test('sftp codec - a stream cut anywhere yields the same packets', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
      (packets, cuts) => {
        const stream = Buffer.concat(
          packets.flatMap((packet) => {
            const length = Buffer.alloc(4);
            length.writeUInt32BE(packet.length);
            return [length, packet];
          }),
        );
        const framer = new Framer();
        const got: number[][] = [];
        for (let at = 0, i = 0; at < stream.length; i += 1) {
          const size = cuts[i % cuts.length]!;
          framer.push(stream.subarray(at, at + size));
          at += size;
          for (let packet = framer.next(); packet !== undefined; packet = framer.next()) {
            got.push([...packet]);
          }
        }
        assert.deepEqual(
          got,
          packets.map((packet) => [...packet]),
        );
        assert.equal(framer.buffered, 0);
      },
    ),
    RUNS,
  );
});

test('sftp codec - a stream that is read in place yields the same packets, wherever reads end', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: limits.SFTP_PACKET_BYTES }), {
        minLength: 1,
        maxLength: 12,
      }),
      fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1 }),
      fc.array(fc.boolean(), { minLength: 1 }),
      (lengths, cuts, takes) => {
        const packets = lengths.map((length, i) => Buffer.alloc(length, `packet ${i} `));
        const stream = Buffer.concat(
          packets.flatMap((packet) => {
            const length = Buffer.alloc(4);
            length.writeUInt32BE(packet.length);
            return [length, packet];
          }),
        );
        const framer = new InPlaceFramer(300_000);
        const hashes: string[] = [];
        const take = (): void => {
          for (let packet = framer.next(); packet !== undefined; packet = framer.next()) {
            hashes.push(sha256(packet));
          }
        };
        for (let at = 0, i = 0; at < stream.length; i += 1) {
          const space = framer.space();
          const size = Math.min(cuts[i % cuts.length]!, space.length, stream.length - at);
          stream.copy(space, 0, at, at + size);
          framer.added(size);
          at += size;
          // A session that has no room leaves what it does not want; more is read all the same here.
          if (takes[i % takes.length]!) take();
        }
        take();
        assert.deepEqual(hashes, packets.map(sha256));
      },
    ),
    { ...RUNS, numRuns: 100 },
  );
});

test('sftp codec - the framer refuses empty and oversized packets', () => {
  for (const [length, code] of [
    [0, 'ERR_PROTOCOL'],
    [limits.SFTP_PACKET_BYTES + 1, 'ERR_MESSAGE_TOO_LARGE'],
    [0xffff_ffff, 'ERR_MESSAGE_TOO_LARGE'],
  ] as const) {
    const framer = new Framer();
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    framer.push(head);
    assert.throws(
      () => framer.next(),
      (error: unknown) => error instanceof HoldfastError && error.code === code,
    );
  }
});

test('sftp codec - any bytes decode to a request or to ERR_PROTOCOL', () => {
  const codes = [...Object.values(REQUEST), 0, 21, 99, 255];
  fc.assert(
    fc.property(fc.constantFrom(...codes), fc.uint8Array({ maxLength: 80 }), (code, rest) => {
      try {
        decodeRequest(Buffer.from([code, ...rest]));
      } catch (error) {
        assert.ok(isProtocolError(error));
      }
    }),
    { ...RUNS, numRuns: 5_000 },
  );
});

test('sftp codec - every truncation of a whole request is ERR_PROTOCOL', () => {
  const whole = body(
    new FieldWriter(REQUEST.OPEN)
      .u32(9)
      .string('name')
      .u32(OPEN.READ)
      .u32(ATTR.EXTENDED + (ATTR.SIZE | ATTR.UIDGID | ATTR.PERMISSIONS | ATTR.ACMODTIME))
      .u64(5n)
      .u32(1)
      .u32(2)
      .u32(0o644)
      .u32(3)
      .u32(4)
      .u32(1)
      .string('key')
      .string('value')
      .end(),
  );
  const request = decodeRequest(whole);
  assert.deepEqual(request.type === 'open' && request.attributes, {
    size: 5,
    uid: 1,
    gid: 2,
    permissions: 0o644,
    atime: 3,
    mtime: 4,
  });
  for (let length = 1; length < whole.length; length += 1) {
    assert.throws(() => decodeRequest(whole.subarray(0, length)), isProtocolError);
  }
});

test('sftp codec - four thousand million extended attributes end with the packet', () => {
  const block = Buffer.alloc(12);
  block.writeUInt32BE(ATTR.EXTENDED, 0);
  block.writeUInt32BE(0xffff_ffff, 4);
  assert.throws(() => readAttributes(new FieldReader(block)), isProtocolError);
});

test('sftp codec - seconds are floored, before 1970 too', () => {
  assert.equal(floorSeconds(1_999_999_999n), 1n);
  assert.equal(floorSeconds(0n), 0n);
  assert.equal(floorSeconds(-1n), -1n);
  assert.equal(floorSeconds(-1_000_000_000n), -1n);
  assert.equal(floorSeconds(-1_000_000_001n), -2n);
});

test('sftp status - system errors map as in OpenSSH', () => {
  const table: Record<string, number> = {
    ENOENT: 2,
    ENOTDIR: 2,
    EBADF: 2,
    ELOOP: 2,
    EPERM: 3,
    EACCES: 3,
    EFAULT: 3,
    ENAMETOOLONG: 5,
    EINVAL: 5,
    ENOSYS: 8,
    EEXIST: 4,
    ENOTEMPTY: 4,
    ENOSPC: 4,
    EISDIR: 4,
  };
  for (const [code, status] of Object.entries(table)) assert.equal(statusOfErrno(code), status);
});

test('sftp status - a defect is told as a failure without its message', () => {
  const reply = new FieldReader(body(failureReply(5, new Error('secret path'))));
  assert.equal(reply.u8(), 101);
  assert.equal(reply.u32(), 5);
  assert.equal(reply.u32(), 4);
  assert.equal(reply.string().toString(), 'Failure');
});

test('sftp files - flags of open(2) for each kind of OPEN', () => {
  const { READ, WRITE, APPEND, CREAT, TRUNC, EXCL } = OPEN;
  assert.equal(openFlags(0), 0);
  assert.equal(openFlags(READ), 0);
  assert.equal(openFlags(WRITE) & 3, 1);
  assert.equal(openFlags(READ | WRITE) & 3, 2);
  for (const bit of [APPEND, CREAT, TRUNC, EXCL]) {
    assert.notEqual(openFlags(WRITE | bit), openFlags(WRITE));
  }
});

test('sftp listing - a line reads as ls -l writes it', () => {
  assert.equal(modeText(0o104755), '-rwsr-xr-x ');
  assert.equal(modeText(0o041777), 'drwxrwxrwt ');
  assert.equal(modeText(0o042644), 'drw-r-Sr-- ');
  assert.equal(modeText(0o120777), 'lrwxrwxrwx ');
  assert.equal(modeText(0o010600), 'prw------- ');
  const stats = {
    uid: 0n,
    gid: 54321n,
    nlink: 2n,
    size: 12345n,
    mode: BigInt(0o100644),
    mtimeNs: BigInt(new Date(2001, 1, 3, 4, 5).getTime()) * 1_000_000n,
  } as Parameters<typeof longName>[1];
  const tables = { users: new Map([[0, 'root']]), groups: new Map(), accounts: new Map() };
  const now = new Date(2001, 2, 3).getTime() / 1000;
  assert.equal(
    longName('a b', stats, tables, now),
    '-rw-r--r--    2 root     54321       12345 Feb  3 04:05 a b',
  );
  assert.equal(
    longName('a b', stats, tables, now + 365 * 86_400),
    '-rw-r--r--    2 root     54321       12345 Feb  3  2001 a b',
  );
});
