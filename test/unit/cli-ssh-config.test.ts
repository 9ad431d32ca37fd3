import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  BEGIN_MARK,
  blockLines,
  editBlock,
  END_MARK,
  quoteForKnownHostsCommand,
  quoteForProxyCommand,
  quoteForShell,
  wholeFile,
  writeBlock,
} from '../../src/main/cli/ssh-config/index.js';
import { runProgram, tempDir } from '../support/index.js';

const BLOCK = 'Host *.holdfast\n    X y\n';
const marked = (block: string): string => `${BEGIN_MARK}\n${block}${END_MARK}\n`;

/** Any bytes, as latin1, that do not hold a mark on a line of its own. */
const otherContent = fc
  .uint8Array({ maxLength: 400 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))
  .filter((text) => !text.includes('holdfast'));

test('config-ssh block - every byte outside it stays, wherever it stands', () => {
  fc.assert(
    fc.property(otherContent, otherContent, (before, after) => {
      const head = before === '' || before.endsWith('\n') ? before : `${before}\n`;
      const edited = editBlock(head + marked('Old thing\n') + after, BLOCK);
      assert.equal(edited, head + marked(BLOCK) + after);
      assert.equal(editBlock(edited, ''), head + after);
    }),
  );
});

test('config-ssh block - goes to the top of a file without one, and comes out again whole', () => {
  fc.assert(
    fc.property(otherContent, (content) => {
      const edited = editBlock(content, BLOCK);
      assert.equal(edited, marked(BLOCK) + content);
      assert.equal(editBlock(edited, BLOCK), edited);
      assert.equal(editBlock(edited, ''), content);
    }),
  );
});

test('config-ssh block - marks that are no pair are left alone', () => {
  const broken = [
    `${BEGIN_MARK}\nHost x\n`,
    `${END_MARK}\n`,
    `${END_MARK}\n${BEGIN_MARK}\n`,
    marked(BLOCK) + marked(BLOCK),
  ];
  for (const content of broken) {
    assert.throws(() => editBlock(content, BLOCK), { code: 'ERR_CONFIG' });
  }
  // Quoted in a comment it is no mark.
  const comment = `# see ${BEGIN_MARK}\n`;
  assert.equal(editBlock(comment, BLOCK), marked(BLOCK) + comment);
});

test('config-ssh file - is replaced in one step, with its mode, through a link, only when it changes', () => {
  const dir = tempDir();
  const real = join(dir, 'dotfiles-config');
  const link = join(dir, 'config');
  writeFileSync(real, 'Host a\n  User b\n');
  chmodSync(real, 0o640);
  symlinkSync(real, link);
  assert.equal(writeBlock(link, BLOCK), true);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(readFileSync(real, 'utf8'), `${marked(BLOCK)}Host a\n  User b\n`);
  assert.equal(statSync(real).mode & 0o777, 0o640);
  const { mtimeMs } = statSync(real);
  assert.equal(writeBlock(link, BLOCK), false);
  assert.equal(statSync(real).mtimeMs, mtimeMs);
  assert.deepEqual(readdirSync(dir).sort(), ['config', 'dotfiles-config']);
});

test('config-ssh file - a new one is private, in a private folder', () => {
  const file = join(tempDir(), '.ssh', 'config');
  writeBlock(file, BLOCK);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(file, '..')).mode & 0o777, 0o700);
});

const OPTIONS = { node: '/n', cli: '/c', configDir: '/d' } as const;

test('config-ssh text - what follows the block applies to every host as before', () => {
  const text = blockLines(OPTIONS);
  assert.match(text, /\nMatch all\n$/);
});

test('config-ssh text - holds no option that an older ssh stops at on its way to another host', () => {
  // Every ssh reads every line, so one that it does not know fails for `-J` and all other hosts as well.
  for (const text of [blockLines(OPTIONS), wholeFile(OPTIONS)])
    assert.doesNotMatch(text, /IgnoreUnknown|WarnWeakCrypto/);
});

test('quoting - a line break cannot be quoted and is refused', () => {
  for (const quote of [quoteForProxyCommand, quoteForKnownHostsCommand]) {
    assert.throws(() => quote('/a\nb'), { code: 'ERR_UNSUPPORTED' });
  }
});

test('quoting - a shell gives back every word', async () => {
  const words = fc
    .sample(fc.string({ unit: 'binary', maxLength: 20 }), 60)
    .map((word) => word.replaceAll('\0', ''));
  const awkward = [
    '',
    "'",
    '"',
    '$(x)',
    '`x`',
    '\\',
    '%h',
    '!',
    '~',
    'a b',
    '*',
    '\n',
    'a\'b"c\\d',
  ];
  const all = [...words, ...awkward].filter((word) => Buffer.from(word).toString() === word);
  const script = all.map((word) => `printf '%s\\0' ${quoteForShell(word)}`).join('\n');
  const { stdout } = await runProgram('/bin/sh', [], { input: script });
  assert.deepEqual(stdout.toString().split('\0').slice(0, -1), all);
});
