import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import type { VerifiedPeer } from '../../src/main/agent/peers/types.js';
import { SftpDoor } from '../../src/main/agent/sftp/index.js';
import {
  HoldfastError,
  limits,
  silentLogger,
  type ConnectionId,
} from '../../src/shared/common/index.js';
import { Permissions } from '../../src/shared/common/wire/index.js';
import { DEFAULT_PORT_CREDIT, PortChannel } from '../../src/shared/node/ports/index.js';
import { SftpClient, SftpStatusError } from '../../src/web/sftp/sftp-client.js';
import {
  isPlainName,
  joinPath,
  numberedName,
  uploadFile,
  type UploadSource,
} from '../../src/web/sftp/upload.js';
import { checkLeaks, tempDir } from '../support/index.js';

checkLeaks();

/** A door into `cwd`, and clients of it over real ports. */
function openDoor(t: TestContext, cwd: string, scopes: readonly string[] = ['sftp']) {
  const door = new SftpDoor({ logger: silentLogger, directory: async () => cwd });
  const clients: SftpClient[] = [];
  t.after(async () => {
    for (const client of clients) client.end();
    await door.close();
  });
  const peer: VerifiedPeer = {
    connectionId: 'c1' as ConnectionId,
    subject: 'tester',
    permissions: new Permissions(scopes),
    engine: 'framed',
    disconnect: () => undefined,
  };
  const open = (label = ''): SftpClient => {
    const { port1, port2 } = new MessageChannel();
    try {
      const handle = { port: port2, credit: DEFAULT_PORT_CREDIT };
      door.serve({ peer, label, protocol: 'sftp', handle });
    } catch (error) {
      port1.close();
      throw error;
    }
    const client = new SftpClient(new PortChannel({ port: port1, credit: DEFAULT_PORT_CREDIT }));
    clients.push(client);
    return client;
  };
  return { door, open };
}

function source(name: string, bytes: Uint8Array): UploadSource {
  return {
    name,
    size: bytes.length,
    slice: (start, end) => new Blob([new Uint8Array(bytes.subarray(start, end))]),
  };
}

function noise(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 2_654_435_761) >>> 13);
}

const forever = new AbortController().signal;

test('sftp door - a file arrives whole, under its name only when it is complete', async (t) => {
  const cwd = tempDir();
  const client = openDoor(t, cwd).open();
  await client.ready();
  const folder = await client.realpath('.');
  assert.equal(folder, cwd);
  const bytes = noise(3 * limits.MIB + 17);
  const seen: number[] = [];
  await uploadFile(client, source('big.bin', bytes), {
    target: joinPath(folder, 'big.bin'),
    mode: undefined,
    overwrite: false,
    signal: forever,
    progress: (count) => {
      seen.push(count);
      assert.ok(!existsSync(join(cwd, 'big.bin')));
    },
  });
  assert.ok(readFileSync(join(cwd, 'big.bin')).equals(bytes));
  assert.deepEqual(readdirSync(cwd), ['big.bin']);
  assert.equal(seen.at(-1), bytes.length);
  await uploadFile(client, source('empty', new Uint8Array(0)), {
    target: joinPath(folder, 'empty'),
    mode: undefined,
    overwrite: false,
    signal: forever,
    progress: () => undefined,
  });
  assert.equal(statSync(join(cwd, 'empty')).size, 0);
});

test('sftp door - never takes the place of a file that was not to be replaced', async (t) => {
  const cwd = tempDir();
  const client = openDoor(t, cwd).open();
  const target = join(cwd, 'kept');
  writeFileSync(target, 'mine');
  chmodSync(target, 0o750);
  const upload = (overwrite: boolean): Promise<void> =>
    uploadFile(client, source('kept', noise(10)), {
      target,
      mode: 0o750,
      overwrite,
      signal: forever,
      progress: () => undefined,
    });
  await assert.rejects(upload(false), SftpStatusError);
  assert.equal(readFileSync(target, 'utf8'), 'mine');
  assert.deepEqual(readdirSync(cwd), ['kept']);
  await upload(true);
  assert.ok(readFileSync(target).equals(noise(10)));
  assert.equal(statSync(target).mode & 0o777, 0o750);
  assert.deepEqual(readdirSync(cwd), ['kept']);
});

test('sftp door - a cancelled or failed upload leaves nothing behind', async (t) => {
  const cwd = tempDir();
  const client = openDoor(t, cwd).open();
  const cancel = new AbortController();
  const options = { mode: undefined, overwrite: false };
  await assert.rejects(
    uploadFile(client, source('cut', noise(limits.MIB)), {
      ...options,
      target: join(cwd, 'cut'),
      signal: cancel.signal,
      progress: () => {
        cancel.abort();
      },
    }),
    (error) => error instanceof HoldfastError && error.code === 'ERR_CLOSED',
  );
  assert.deepEqual(readdirSync(cwd), []);
  const gone: UploadSource = {
    name: 'gone',
    size: 100_000,
    slice: () => ({ arrayBuffer: () => Promise.reject(new Error('the file is gone')) }),
  };
  await assert.rejects(
    uploadFile(client, gone, {
      ...options,
      target: join(cwd, 'gone'),
      signal: forever,
      progress: () => undefined,
    }),
    /the file is gone/,
  );
  await assert.rejects(
    uploadFile(client, source('x', noise(5)), {
      ...options,
      target: join(cwd, 'no', 'such', 'folder'),
      signal: forever,
      progress: () => undefined,
    }),
    SftpStatusError,
  );
  assert.deepEqual(readdirSync(cwd), []);
});

test('sftp door - refuses who may not, what has a label, and too many', async (t) => {
  const cwd = tempDir();
  const refused = openDoor(t, cwd, ['ssh', 'terminal:*:type']);
  assert.throws(() => refused.open(), { code: 'ERR_FORBIDDEN' });
  const { open } = openDoor(t, cwd);
  assert.throws(() => open('label'), { code: 'ERR_CHANNEL_LABEL' });
  const clients = Array.from({ length: limits.SFTP_CHANNELS }, () => open());
  await Promise.all(clients.map(async (client) => await client.ready()));
  assert.throws(() => open(), { code: 'ERR_PEER_LIMIT' });
});

test('sftp door - closing it ends what is under way', async (t) => {
  const cwd = tempDir();
  const { door, open } = openDoor(t, cwd);
  const client = open();
  await client.ready();
  const upload = uploadFile(client, source('long', noise(8 * limits.MIB)), {
    target: join(cwd, 'long'),
    mode: undefined,
    overwrite: false,
    signal: forever,
    progress: () => {
      void door.close();
    },
  });
  await assert.rejects(upload, HoldfastError);
  assert.ok(!existsSync(join(cwd, 'long')));
});

test('sftp door - names of files', () => {
  assert.equal(numberedName('a.tar', 2), 'a (2).tar');
  assert.equal(numberedName('.profile', 2), '.profile (2)');
  assert.equal(joinPath('/', 'a'), '/a');
  for (const name of ['', '.', '..', 'a/b', 'a\0']) assert.ok(!isPlainName(name));
});
