import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { OPEN, STATUS } from '../../src/main/agent/sftp/protocol.js';
import { checkLeaks, seededRandom, tempDir } from '../support/index.js';
import { dataOf, RawSftp, statusOf, type Reply } from '../support/sftp/raw-client.js';

checkLeaks();

const SERVER = fileURLToPath(new URL('../support/sftp/stdio-server.js', import.meta.url));
const random = seededRandom();

test('sftp stdio - requests in flight are done in their order, though their memory is used again', async () => {
  const cwd = tempDir();
  const child = spawn(process.execPath, [SERVER], { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const client = new RawSftp(child.stdout, child.stdin);
  await client.init();
  const size = 400_000;
  const file = await client.handle('file', OPEN.READ | OPEN.WRITE | OPEN.CREAT);
  const copy = await client.handle('copy', OPEN.WRITE | OPEN.CREAT);
  for (const at of [0, size / 2]) {
    assert.equal(statusOf(await client.write(file, at, Buffer.alloc(size / 2))), STATUS.OK);
  }

  const model = Buffer.alloc(size);
  const pending: Promise<void>[] = [];
  const expect = (reply: Promise<Reply>, check: (reply: Reply) => void): void => {
    pending.push(reply.then(check));
  };
  for (let i = 0; i < 3_000; i += 1) {
    const length = random.pick([1, 100, 5_000, 60_000, 200_000]);
    const offset = random.int(0, size - length);
    const kind = random.next();
    if (kind < 0.5) {
      const data = Buffer.from(random.bytes(length));
      data.copy(model, offset);
      expect(client.write(file, offset, data), (reply) => assert.equal(statusOf(reply), STATUS.OK));
    } else if (kind < 0.97) {
      const want = Buffer.from(model.subarray(offset, offset + length));
      expect(client.read(file, offset, length), (reply) => {
        assert.ok(dataOf(reply).equals(want), `seed ${random.seed}, request ${i}`);
      });
    } else {
      // Not done at once: what follows has to wait for it, and must not be read before.
      expect(
        client.extended('copy-data', (f) => f.string(file).u64(0n).u64(0n).string(copy).u64(0n)),
        (reply) => assert.equal(statusOf(reply), STATUS.OK),
      );
    }
  }
  await Promise.all(pending);
  client.end();
  assert.deepEqual(await exited, [0, null]);
  assert.ok(readFileSync(`${cwd}/file`).equals(model));
});
