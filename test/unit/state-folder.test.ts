import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { sign, verify, createPublicKey } from 'node:crypto';
import { once as event } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { publicKeySchema } from '../../src/shared/common/wire/index.js';
import {
  generateIdentity,
  loadOrCreateIdentity,
  lockStateDir,
  stateDirOwner,
  openLogFile,
  openStateDir,
  readSecretFile,
  writeSecretFile,
} from '../../src/shared/node/state/index.js';

const root = mkdtempSync(join(tmpdir(), 'holdfast-state-'));
after(() => {
  rmSync(root, { recursive: true, force: true });
});
let count = 0;
function fresh(): string {
  count += 1;
  return join(root, `d${String(count)}`);
}
const refused = { code: 'ERR_STATE_DIR' };

describe('state folder', () => {
  test('state - creates the folder and its parents for this user only', async () => {
    const path = join(fresh(), 'a', 'b');
    assert.equal(await openStateDir(path), path);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.equal(await openStateDir(path), path);
    assert.deepEqual(readdirSync(path), []);
  });

  test('state - closes a folder of ours that was open to others', async () => {
    const path = fresh();
    mkdirSync(path, { mode: 0o755 });
    await openStateDir(path);
    assert.equal(statSync(path).mode & 0o777, 0o700);
  });

  test('state - refuses a link, a file and a place below a file', async () => {
    const target = fresh();
    mkdirSync(target);
    const link = fresh();
    symlinkSync(target, link);
    await assert.rejects(openStateDir(link), refused);
    const file = fresh();
    writeFileSync(file, '');
    await assert.rejects(openStateDir(file), refused);
    await assert.rejects(openStateDir(join(file, 'below')), refused);
  });

  test('state - refuses a folder of another user', async (t) => {
    if (process.geteuid?.() === 0) {
      const path = fresh();
      mkdirSync(path);
      execFileSync('chown', ['65534', path]);
      await assert.rejects(openStateDir(path), /belongs to another user/);
    } else {
      await assert.rejects(openStateDir('/proc'), refused);
      t.diagnostic('not root: tried with a system folder');
    }
  });
});

describe('secret files', () => {
  test('secret file - is replaced whole, private, with nothing left beside it', async () => {
    const dir = await openStateDir(fresh());
    const path = join(dir, 'token');
    assert.equal(await readSecretFile(path), undefined);
    await writeSecretFile(path, 'one');
    await writeSecretFile(path, Buffer.from('two'));
    assert.equal(String(await readSecretFile(path)), 'two');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dir), ['token']);
  });

  test('secret file - writing over a link replaces the link and leaves its target alone', async () => {
    const dir = await openStateDir(fresh());
    const victim = join(dir, 'victim');
    writeFileSync(victim, 'mine');
    symlinkSync(victim, join(dir, 'token'));
    await writeSecretFile(join(dir, 'token'), 'secret');
    assert.equal(readFileSync(victim, 'utf8'), 'mine');
    assert.equal(lstatSync(join(dir, 'token')).isSymbolicLink(), false);
  });

  test('secret file - refuses links, hard links, FIFOs, folders, open modes and great size', async () => {
    const dir = await openStateDir(fresh());
    const good = join(dir, 'good');
    await writeSecretFile(good, 'x'.repeat(100));
    symlinkSync(good, join(dir, 'link'));
    await assert.rejects(readSecretFile(join(dir, 'link')), refused);
    execFileSync('mkfifo', ['-m', '600', join(dir, 'fifo')]);
    await assert.rejects(readSecretFile(join(dir, 'fifo')), refused);
    await assert.rejects(readSecretFile(dir), refused);
    await assert.rejects(readSecretFile(good, { maxBytes: 99 }), refused);
    assert.equal((await readSecretFile(good, { maxBytes: 100 }))?.length, 100);
    chmodSync(good, 0o644);
    await assert.rejects(readSecretFile(good), /other users can read it/);
    chmodSync(good, 0o600);
    linkSync(good, join(dir, 'hard'));
    await assert.rejects(readSecretFile(good), refused);
  });

  test('log file - is emptied and private; links, hard links and FIFOs are refused untouched', async () => {
    const dir = await openStateDir(fresh());
    const path = join(dir, 'startup.log');
    writeFileSync(path, 'stale tail of the last run', { mode: 0o644 });
    const handle = await openLogFile(path);
    await handle.write('new');
    await handle.close();
    assert.equal(readFileSync(path, 'utf8'), 'new');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const victim = join(dir, 'victim');
    writeFileSync(victim, 'mine');
    symlinkSync(victim, join(dir, 'link.log'));
    linkSync(victim, join(dir, 'hard.log'));
    execFileSync('mkfifo', [join(dir, 'fifo.log')]);
    for (const name of ['link.log', 'hard.log', 'fifo.log'])
      await assert.rejects(openLogFile(join(dir, name)), refused);
    assert.equal(readFileSync(victim, 'utf8'), 'mine');
  });
});

describe('lock', () => {
  test('lock - holds off a second owner and is free after close', async () => {
    const dir = await openStateDir(fresh());
    assert.equal(stateDirOwner(dir), undefined);
    const lock = await lockStateDir(dir);
    assert.equal(stateDirOwner(dir), process.pid);
    await assert.rejects(lockStateDir(dir), {
      code: 'ERR_ALREADY_RUNNING',
      message: new RegExp(`process ${String(process.pid)} `),
    });
    await Promise.all([lock.close(), lock.close()]);
    await (await lockStateDir(dir)).close();
    assert.deepEqual(readdirSync(dir), []);
  });

  test('lock - of a process that was killed is taken over by exactly one of many', async () => {
    const dir = await openStateDir(fresh());
    const module = new URL('../../src/shared/node/state/index.js', import.meta.url).href;
    const code = `import(${JSON.stringify(module)}).then(async (m) => {
      await m.lockStateDir(${JSON.stringify(dir)}); console.log('held'); setInterval(() => {}, 1000); })`;
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    await event(child.stdout, 'data');
    await assert.rejects(lockStateDir(dir), { code: 'ERR_ALREADY_RUNNING' });
    child.kill('SIGKILL');
    await event(child, 'close');
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockStateDir(dir)));
    const held = tries.filter((result) => result.status === 'fulfilled');
    assert.equal(held.length, 1);
    for (const result of held) await result.value.close();
    assert.equal(existsSync(join(dir, 'lock')), false);
  });

  test('lock - garbage, a recycled pid and a stale takeover guard do not block', async () => {
    const dir = await openStateDir(fresh());
    for (const content of [
      '',
      '{"pid":',
      '[]',
      '{"pid":"1"}',
      `{"pid":${String(process.ppid)},"started":"1"}`,
    ]) {
      writeFileSync(join(dir, 'lock'), content);
      await (await lockStateDir(dir)).close();
    }
    writeFileSync(join(dir, 'lock'), '');
    writeFileSync(join(dir, 'lock.takeover'), '');
    execFileSync('touch', ['-d', '1 hour ago', join(dir, 'lock.takeover')]);
    await (await lockStateDir(dir)).close();
    assert.deepEqual(readdirSync(dir), []);
  });
});

describe('identity', () => {
  test('identity - stays the same over restarts and signs', async () => {
    const dir = await openStateDir(fresh());
    const first = await loadOrCreateIdentity(dir, 'agent');
    const second = await loadOrCreateIdentity(dir, 'agent');
    assert.equal(first.publicKey, second.publicKey);
    assert.equal(publicKeySchema.parse(first.publicKey), first.publicKey);
    assert.notEqual((await loadOrCreateIdentity(dir, 'host')).publicKey, first.publicKey);
    const data = Buffer.from('data');
    assert.ok(
      verify(null, data, createPublicKey(first.privateKey), sign(null, data, second.privateKey)),
    );
    writeFileSync(join(dir, 'agent.key'), 'no key');
    await assert.rejects(loadOrCreateIdentity(dir, 'agent'), refused);
  });

  test('identity - ssh-keygen reads the OpenSSH form and derives the same public key', async () => {
    const dir = await openStateDir(fresh());
    for (let round = 0; round < 8; round += 1) {
      const identity = generateIdentity();
      const path = join(dir, 'key');
      await writeSecretFile(path, identity.sshPrivateKey());
      const derived = execFileSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' });
      assert.equal(derived.trim().split(' ').slice(0, 2).join(' '), identity.sshPublicKey);
    }
  });
});
