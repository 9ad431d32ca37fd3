import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMMANDS } from '../../src/main/cli/catalogue.js';
import { checkLeaks, runProgram, tempDir, type ProgramResult } from '../support/index.js';
import { ROOT } from '../support/documents.js';

checkLeaks();

const PROGRAM = join(ROOT, 'dist/program/holdfast.js');
const home = tempDir();

/** Runs the program with a home folder of its own and nothing of ours in the environment. */
function holdfast(
  args: readonly string[],
  { env = {}, input }: { env?: Record<string, string>; input?: string } = {},
): Promise<ProgramResult> {
  return runProgram(process.execPath, [PROGRAM, ...args], {
    env: { PATH: process.env['PATH'], HOME: home, ...env },
    ...(input === undefined ? {} : { input }),
  });
}

/** Checks the two lines that every failure prints. */
function assertFailure(
  { status, stdout, stderr }: ProgramResult,
  expected: { status: number; code: string; says: RegExp },
): void {
  const [message = '', hint = '', end, ...more] = stderr.split('\n');
  assert.match(message, new RegExp(`^holdfast: ${expected.code}: `), stderr);
  assert.match(message, expected.says);
  assert.match(hint, /^hint: .+/);
  assert.equal(end, '');
  assert.deepEqual(more, [], 'more than two lines');
  assert.equal(status, expected.status);
  assert.equal(stdout.length, 0);
}

const WITH_SUBCOMMANDS: Readonly<Record<string, readonly string[]>> = {
  workspace: ['add', 'set', 'renew-token', 'list', 'remove'],
  token: ['create', 'list', 'revoke'],
};

test('cli - every command has a help that teaches', { timeout: 120_000 }, async () => {
  const calls = COMMANDS.flatMap(({ name }) => [
    [name],
    ...(WITH_SUBCOMMANDS[name] ?? []).map((sub) => [name, sub]),
  ]);
  await Promise.all(
    calls.map(async (words) => {
      const { status, stdout, stderr } = await holdfast([...words, '--help']);
      const text = stdout.toString();
      assert.equal(status, 0, stderr);
      assert.match(text, new RegExp(`^Usage: holdfast ${words.join(' ')} `));
      assert.equal(stderr, '');
      if (words.length === 1 && (words[0] ?? '') in WITH_SUBCOMMANDS) return;
      assert.match(text, /\nExamples:\n {2}\S/, words.join(' '));
      assert.match(text, /\nExit status:\n {2}\S/, words.join(' '));
    }),
  );
});

test('cli - without a command, or with help, it lists them all', async () => {
  for (const args of [[], ['--help'], ['help']]) {
    const { status, stdout } = await holdfast(args);
    assert.equal(status, 0);
    for (const { name, summary } of COMMANDS) {
      assert.ok(stdout.toString().includes(summary), name);
    }
  }
  const { stdout } = await holdfast(['help', 'ssh']);
  assert.match(stdout.toString(), /^Usage: holdfast ssh /);
});

test('cli - version says which', async () => {
  const { stdout } = await holdfast(['version', '--json']);
  const { version } = JSON.parse(stdout.toString()) as { version: string };
  for (const args of [['version'], ['--version'], ['-V']]) {
    assert.equal((await holdfast(args)).stdout.toString(), `holdfast ${version}\n`);
  }
});

test('cli - what is not known is refused in one line, with a suggestion', async () => {
  const table = [
    [['sssh'], /unknown command "sssh"/, /Did you mean `holdfast ssh`\?/],
    [['ssh', '--engin', 'x', 'w'], /unknown option '--engin'/, /--engine/],
    [['workspace', 'lst'], /unknown command 'lst'/, /list/],
    [['workspace'], /needs a subcommand/, /add, set/],
    [['kill', 'w'], /missing required argument 'terminal'/, /kill --help/],
    [['version', 'x'], /too many arguments/, /version --help/],
    [['--nonsense', 'ssh'], /unknown option/, /after the command/],
    [['--config-dir'], /no command/, /--help/],
    [['forward', 'w'], /nothing to forward/, /-L/],
    [['forward', 'w', '-L', '1:2'], /-L "1:2"/, /HOSTPORT/],
    [['up', '--host', '0.0.0.0'], /no loopback address/, /broker --listen/],
    [['broker', '--tls-cert', 'x'], /--tls-cert also needs --tls-key/, /./],
    [['agent', '--port', 'x'], /unknown option '--port'/, /./],
    [['token', 'create', 'x'], /no workspace/, /--all-workspaces/],
    [['ping', 'w', '--count', '0'], /--count/, /./],
    [['up', '--port', '1e3'], /--port must be a whole number/, /./],
  ] as const;
  for (const [args, says, hint] of table) {
    const result = await holdfast(args);
    assertFailure(result, { status: 2, code: 'ERR_INVALID_ARGUMENT', says });
    assert.match(result.stderr.split('\n')[1] ?? '', hint);
  }
});

test('cli - a command that needs a login says how to get one', async () => {
  for (const args of [
    ['workspace', 'list'],
    ['terminals', 'w'],
    ['known-hosts', 'w.holdfast'],
    ['config-ssh', '--print'],
    ['agent'],
  ]) {
    const result = await holdfast(args);
    assertFailure(result, { status: 3, code: 'ERR_NOT_LOGGED_IN', says: /no broker is known/ });
  }
});

test('cli - ssh and attach fail with 255, so that remote statuses stay apart', async () => {
  for (const args of [
    ['ssh', 'w', '--', 'true'],
    ['attach', 'w'],
  ]) {
    const result = await holdfast(args);
    assertFailure(result, { status: 255, code: 'ERR_NOT_LOGGED_IN', says: /no broker/ });
  }
});

test('cli - a broker that is not there is status 5', async () => {
  const result = await holdfast(['workspace', 'list', '--broker', 'http://127.0.0.1:9'], {
    env: { HOLDFAST_TOKEN: 'x' },
  });
  assertFailure(result, { status: 5, code: 'ERR_BROKER_UNREACHABLE', says: /127\.0\.0\.1:9/ });
});

test('cli - settings from variable and file are refused by their own names', async () => {
  assertFailure(await holdfast(['ping', 'w'], { env: { HOLDFAST_ENGINE: 'warp' } }), {
    status: 2,
    code: 'ERR_CONFIG',
    says: /HOLDFAST_ENGINE in the environment must be one of auto, direct, relay/,
  });
  const dir = tempDir();
  writeFileSync(join(dir, 'config.json'), '{"engine": 5}', { mode: 0o600 });
  assertFailure(await holdfast(['--config-dir', dir, 'ping', 'w']), {
    status: 2,
    code: 'ERR_CONFIG',
    says: /"engine" in .*config\.json must be/,
  });
});

test('cli - login never takes a token from the command line, nor an empty one', async () => {
  const url = 'http://127.0.0.1:9';
  assertFailure(await holdfast(['login', url, 'secret']), {
    status: 2,
    code: 'ERR_INVALID_ARGUMENT',
    says: /too many arguments/,
  });
  assertFailure(await holdfast(['login', url], { input: ' \n' }), {
    status: 2,
    code: 'ERR_INVALID_ARGUMENT',
    says: /no token in standard input/,
  });
  const { stderr } = await holdfast(['login', url], { input: 'two words' });
  assert.doesNotMatch(stderr, /two words/);
});

test('cli - a reader that goes away is no stack trace', async () => {
  const { stderr } = await runProgram(
    '/bin/sh',
    ['-c', `"${process.execPath}" "${PROGRAM}" --help | true`],
    { env: { PATH: process.env['PATH'], HOME: home } },
  );
  assert.equal(stderr, '');
});
