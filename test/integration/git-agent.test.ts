import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { silentLogger } from '../../src/shared/common/index.js';
import { GitAgent } from '../../src/main/agent/ssh/git-agent/index.js';
import { listIdentities, runGitSsh } from '../../src/main/client/gitssh/index.js';
import { checkLeaks, tempDir } from '../support/index.js';
import { SshHarness } from '../support/ssh-harness.js';

checkLeaks();

const run = promisify(execFile);
const dir = tempDir();

/** A key made by ssh-keygen: its private PEM and its public line. */
function makeKey(type: string, ...options: string[]): { pem: string; publicFile: string } {
  const file = join(dir, type + options.join(''));
  execFileSync('ssh-keygen', ['-q', '-t', type, ...options, '-N', '', '-f', file]);
  return { pem: readFileSync(file, 'utf8'), publicFile: `${file}.pub` };
}

const agents: GitAgent[] = [];

async function startAgent(gitKey: () => Promise<string>): Promise<string> {
  const path = join(dir, `a${String(agents.length)} b%h'`, 'git.sock');
  const agent = new GitAgent({ logger: silentLogger, path, gitKey: () => gitKey });
  agents.push(agent);
  await agent.start();
  return path;
}

after(async () => {
  await Promise.all(agents.map((agent) => agent.close()));
});

test('git agent - OpenSSH lists and uses keys of every kind', async () => {
  const kinds = [
    ['ed25519'],
    ['ecdsa', '-b', '256'],
    ['ecdsa', '-b', '521'],
    ['rsa', '-b', '2048'],
  ];
  for (const [type = '', ...options] of kinds) {
    const { pem, publicFile } = makeKey(type, ...options);
    const path = await startAgent(() => Promise.resolve(pem));
    const env = { ...process.env, SSH_AUTH_SOCK: path };
    const listed = await run('ssh-add', ['-L'], { env });
    const [keyType, blob] = readFileSync(publicFile, 'utf8').split(' ');
    assert.equal(listed.stdout.split(' ').slice(0, 2).join(' '), `${keyType ?? ''} ${blob ?? ''}`);
    // `ssh-add -T` asks RSA for SHA-1, which is refused; the login below shows that it signs.
    if (type === 'rsa') continue;
    // Signs with it and verifies the signature; fails otherwise.
    for (let round = 0; round < 5; round += 1) await run('ssh-add', ['-T', publicFile], { env });
  }
});

test('git agent - the key is fetched once, when first needed, and a failure is tried again', async () => {
  const { pem } = makeKey('ed25519', '-C', 'lazy');
  let fetches = 0;
  const path = await startAgent(() => {
    fetches += 1;
    return fetches === 1 ? Promise.reject(new Error('broker is down')) : Promise.resolve(pem);
  });
  assert.equal(fetches, 0);
  assert.deepEqual(await listIdentities(path), []);
  assert.equal((await listIdentities(path)).length, 1);
  assert.equal((await listIdentities(path)).length, 1);
  assert.equal(fetches, 2);
});

test('git agent - security B-21: only its user can reach it, and no key is on disk', async () => {
  const { pem } = makeKey('ed25519', '-C', 'modes');
  const path = await startAgent(() => Promise.resolve(pem));
  await listIdentities(path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700);
});

test('git agent - what is no request gets a failure, what is too large ends the connection', async () => {
  const { pem } = makeKey('ed25519', '-C', 'bad');
  const path = await startAgent(() => Promise.resolve(pem));
  const socket = connect({ path });
  const answers: Buffer[] = [];
  socket.on('data', (chunk) => answers.push(chunk));
  socket.on('error', () => undefined);
  // An extension, a key to add, and a request to sign that is cut short: one failure each.
  socket.write(Buffer.from([0, 0, 0, 5, 27, 0, 0, 0, 0, 0, 0, 0, 1, 17, 0, 0, 0, 3, 13, 0, 0]));
  while (Buffer.concat(answers).length < 15) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual([...Buffer.concat(answers)], [0, 0, 0, 1, 5, 0, 0, 0, 1, 5, 0, 0, 0, 1, 5]);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  await closed;
});

test('git ssh - logs in with the key of the workspace, and says what to do where that fails', async () => {
  const { pem, publicFile } = makeKey('ed25519', '-C', 'login');
  const path = await startAgent(() => Promise.resolve(pem));
  const publicKey = readFileSync(publicFile, 'utf8');
  const host = await new SshHarness({ server: { authorizedKeys: [publicKey] } }).start();
  const stranger = makeKey('ed25519', '-C', 'stranger');
  const closedHost = await new SshHarness({
    server: { authorizedKeys: [readFileSync(stranger.publicFile, 'utf8')] },
  }).start();
  const env = { ...process.env, HOLDFAST_GIT_SOCK: path };
  const done = join(dir, 'done');
  let printed = '';
  const print = (text: string): void => {
    printed += text;
  };
  const config = (harness: SshHarness): string[] => ['-F', join(harness.dir, 'config'), 'agent'];
  assert.equal(await runGitSsh([...config(host), `touch ${done}; exit 9`], env, { print }), 9);
  assert.ok(statSync(done).isFile());
  assert.equal(printed, '');
  assert.equal(await runGitSsh([...config(closedHost), 'true'], env, { print }), 255);
  assert.ok(printed.includes(publicKey.split(' ').slice(0, 2).join(' ')));
  const rsa = makeKey('rsa', '-b', '2048', '-C', 'login');
  const rsaPath = await startAgent(() => Promise.resolve(rsa.pem));
  const rsaHost = await new SshHarness({
    server: { authorizedKeys: [readFileSync(rsa.publicFile, 'utf8')] },
  }).start();
  const rsaEnv = { ...env, HOLDFAST_GIT_SOCK: rsaPath };
  assert.equal(await runGitSsh([...config(rsaHost), 'exit 3'], rsaEnv, { print }), 3);
  await rsaHost.close();
  // Without ours, keys of the user still work.
  printed = '';
  writeFileSync(join(dir, 'own'), stranger.pem, { mode: 0o600 });
  const own = ['-i', join(dir, 'own')];
  assert.equal(await runGitSsh([...own, ...config(closedHost), 'true'], env, { print }), 0);
  const without = await runGitSsh([...config(host), 'true'], { ...process.env }, { print });
  assert.equal(without, 255);
  assert.match(printed, /ERR_GIT_KEY/);
  await host.close();
  await closedHost.close();
});
