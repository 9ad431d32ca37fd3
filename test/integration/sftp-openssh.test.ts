import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import {
  checkLeaks,
  requireProgram,
  runProgram,
  seededRandom,
  tempDir,
  type ProgramResult,
} from '../support/index.js';
import { describeTree, HARD_NAMES, joinBytes, makeTree } from '../support/sftp/tree.js';

checkLeaks();

const SERVER = fileURLToPath(new URL('../support/sftp/stdio-server.js', import.meta.url));
const NEEDS_SFTP = requireProgram('sftp');
const random = seededRandom();

/** Runs lines in OpenSSH's client against our server; both start in `folder`. */
async function batch(
  folder: string,
  lines: readonly (string | Buffer)[],
  { server = '', args = [] as readonly string[] } = {},
): Promise<ProgramResult> {
  const text = Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]));
  const command = `${process.execPath} ${SERVER} -e ${server}`;
  return await runProgram('sftp', [...args, '-b', '-', '-D', command], {
    cwd: folder,
    input: text,
  });
}

const ok = (result: ProgramResult): string => {
  assert.equal(result.status, 0, `${result.stdout.toString()}\n${result.stderr}`);
  return result.stdout.toString('latin1');
};

test(
  'sftp openssh - trees go up and come down with content, modes and times',
  NEEDS_SFTP,
  async () => {
    const folder = tempDir();
    makeTree(Buffer.from(`${folder}/a`), random, 60);
    ok(await batch(folder, ['put -rp a b', 'get -rp b c']));
    const want = describeTree(Buffer.from(`${folder}/a`), { times: true });
    assert.deepEqual(describeTree(Buffer.from(`${folder}/b`), { times: true }), want);
    assert.deepEqual(describeTree(Buffer.from(`${folder}/c`), { times: true }), want);
  },
);

test('sftp openssh - a large file with many and large requests', NEEDS_SFTP, async () => {
  const folder = tempDir();
  const content = Buffer.from(random.bytes(100_000));
  for (let i = 0; i < 200; i += 1) appendFileSync(`${folder}/a`, content.subarray(i * 7));
  for (const args of [
    ['-R', '64', '-B', '261120'],
    ['-R', '256', '-B', '1000'],
    ['-R', '1'],
  ]) {
    ok(await batch(folder, ['put a b', 'get b c'], { args }));
    const want = readFileSync(`${folder}/a`);
    assert.ok(readFileSync(`${folder}/b`).equals(want));
    assert.ok(readFileSync(`${folder}/c`).equals(want));
  }
});

test('sftp openssh - transfers that were cut go on where they stopped', NEEDS_SFTP, async () => {
  const folder = tempDir();
  const content = Buffer.from(random.bytes(500_000));
  for (const name of ['a', 'up', 'down']) writeFileSync(`${folder}/${name}`, content);
  truncateSync(`${folder}/up`, 123_457);
  truncateSync(`${folder}/down`, 400_001);
  ok(await batch(folder, ['reput a up', 'reget a down']));
  assert.ok(readFileSync(`${folder}/up`).equals(content));
  assert.ok(readFileSync(`${folder}/down`).equals(content));
});

test('sftp openssh - every byte of a name counts', NEEDS_SFTP, async () => {
  const folder = tempDir();
  writeFileSync(`${folder}/a`, 'content');
  const quoted = (name: Buffer): Buffer =>
    Buffer.from(`"${name.toString('latin1').replaceAll(/["\\]/g, '\\$&')}"`, 'latin1');
  const names = HARD_NAMES.filter((name) => !name.includes(0x0a));
  const lines = names.map((name) => Buffer.concat([Buffer.from('put a '), quoted(name)]));
  ok(await batch(folder, lines));
  for (const name of names) {
    assert.ok(existsSync(joinBytes(folder, name)), name.toString('latin1'));
  }
});

test('sftp openssh - links, renames, folders and df', NEEDS_SFTP, async () => {
  const folder = tempDir();
  writeFileSync(`${folder}/a`, 'one');
  writeFileSync(`${folder}/old`, 'two');
  const out = ok(
    await batch(folder, [
      'ln a hard',
      'ln -s a/b/../c soft',
      'rename a old',
      'mkdir d',
      'cd d',
      'pwd',
      'put old in',
      'ls -la',
      'cd ..',
      'rm d/in',
      'rmdir d',
      'df',
      'df -i',
      'cp old copy',
    ]),
  );
  assert.equal(readFileSync(`${folder}/old`, 'utf8'), 'one');
  assert.equal(readFileSync(`${folder}/copy`, 'utf8'), 'one');
  assert.equal(statSync(`${folder}/hard`).ino, statSync(`${folder}/old`).ino);
  assert.equal(readlinkSync(`${folder}/soft`), 'a/b/../c');
  assert.ok(out.includes(`Remote working directory: ${folder}/d`));
  assert.match(out, /-rw-r--r--.* 3 .* in\n/);
  assert.match(out, /%Capacity/);
  assert.ok(!existsSync(`${folder}/d`));
});

test('sftp openssh - a plain rename never replaces a file', NEEDS_SFTP, async () => {
  const folder = tempDir();
  writeFileSync(`${folder}/a`, 'one');
  writeFileSync(`${folder}/b`, 'two');
  // -l asks for the plain one of version 3.
  const result = await batch(folder, ['rename -l a b']);
  assert.equal(result.status, 1);
  assert.equal(readFileSync(`${folder}/b`, 'utf8'), 'two');
  ok(await batch(folder, ['rename -l a c']));
  assert.equal(readFileSync(`${folder}/c`, 'utf8'), 'one');
  assert.ok(!existsSync(`${folder}/a`));
});

test('sftp openssh - read-only lets files out and nothing in', NEEDS_SFTP, async () => {
  const folder = tempDir();
  writeFileSync(`${folder}/a`, 'one');
  linkSync(`${folder}/a`, `${folder}/b`);
  mkdirSync(`${folder}/d`);
  const before = describeTree(Buffer.from(folder), { times: true });
  for (const line of [
    'put a c',
    'put a b',
    'rm a',
    'mkdir e',
    'rmdir d',
    'rename a c',
    'rename -l a c',
    'ln a c',
    'ln -s a c',
    'chmod 777 a',
    'chown 1 a',
    'cp a c',
  ]) {
    const result = await batch(folder, [line], { server: '-R' });
    assert.equal(result.status, 1, line);
  }
  assert.deepEqual(describeTree(Buffer.from(folder), { times: true }), before);
  ok(await batch(folder, ['get a got', 'ls -l', 'df'], { server: '-R' }));
  assert.equal(readFileSync(path.join(folder, 'got'), 'utf8'), 'one');
});

test('sftp openssh - starts in the folder of -d', NEEDS_SFTP, async () => {
  const folder = tempDir();
  mkdirSync(`${folder}/start`);
  const out = ok(await batch(folder, ['pwd'], { server: `-d ${folder}/start` }));
  assert.ok(out.includes(`Remote working directory: ${folder}/start`));
});

test('sftp openssh - wrong flags get usage and status 1', async () => {
  const wrong = await runProgram(process.execPath, [SERVER, '-Z']);
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /usage: sftp-server/);
  assert.equal((await runProgram(process.execPath, [SERVER, '-l', 'LOUD'])).status, 1);
  assert.equal((await runProgram(process.execPath, [SERVER, '-h'])).status, 0);
});
