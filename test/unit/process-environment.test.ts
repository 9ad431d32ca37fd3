import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { parseMetadata } from '../../src/shared/common/wire/index.js';
import {
  acceptsFromClient,
  buildEnvironment,
  quoteForShell,
  type EnvironmentOptions,
} from '../../src/main/agent/process/index.js';

const base: EnvironmentOptions = {
  processEnv: {},
  metadata: parseMetadata({}),
  agentEnv: {},
  user: { name: 'ada', shell: '/bin/bash', home: '/home/ada' },
};

test('process environment - the last of process, session, git, metadata, agent and TERM wins', () => {
  const processEnv = {
    A: 'process',
    LANG: 'process',
    LC_X: 'process',
    M: 'process',
    TERM: 'process',
  };
  const env = buildEnvironment({
    ...base,
    processEnv: { ...processEnv, G: 'process', GIT_SSH_COMMAND: 'process' },
    clientEnv: { LANG: 'client', LC_X: 'client', TERM: 'client', A: 'client' },
    gitSshCommand: ['/usr/bin/node', '/opt/holdfast/main.js'],
    metadata: parseMetadata({
      owner_email: 'ada@example.org',
      owner_username: 'ada',
      environment_variables: { LC_X: 'metadata', M: 'metadata', G: 'metadata', TERM: 'metadata' },
    }),
    agentEnv: { G: 'agent' },
    term: 'xterm-256color',
  });
  assert.equal(env['A'], 'process', 'not on the allow-list');
  assert.equal(env['LANG'], 'client');
  assert.equal(env['LC_X'], 'metadata');
  assert.equal(env['M'], 'metadata');
  assert.equal(env['G'], 'agent');
  assert.equal(env['TERM'], 'xterm-256color');
  assert.equal(env['GIT_SSH_COMMAND'], '/usr/bin/node /opt/holdfast/main.js gitssh --');
  assert.equal(env['GIT_AUTHOR_EMAIL'], 'ada@example.org');
  assert.equal(env['GIT_COMMITTER_EMAIL'], 'ada@example.org');
  assert.equal(env['GIT_AUTHOR_NAME'], 'ada');
  assert.equal(env['GIT_COMMITTER_NAME'], 'ada');
});

test('process environment - metadata may set its own GIT_SSH_COMMAND and Git identity', () => {
  const env = buildEnvironment({
    ...base,
    gitSshCommand: ['node'],
    metadata: parseMetadata({
      owner_email: 'a@b',
      environment_variables: { GIT_SSH_COMMAND: 'mine', GIT_AUTHOR_EMAIL: 'c@d' },
    }),
  });
  assert.equal(env['GIT_SSH_COMMAND'], 'mine');
  assert.equal(env['GIT_AUTHOR_EMAIL'], 'c@d');
  assert.equal(env['GIT_COMMITTER_EMAIL'], 'a@b');
});

test('process environment - an owner without name or address sets no empty Git identity', () => {
  const env = buildEnvironment(base);
  assert.ok(!Object.keys(env).some((name) => name.startsWith('GIT_')));
});

test('process environment - security B-20: nothing of the agent itself is passed on', () => {
  const env = buildEnvironment({
    ...base,
    processEnv: {
      HOLDFAST_TOKEN: 'secret',
      HOLDFAST_ANYTHING: 'x',
      SSH_TTY: '/dev/pts/9',
      TMUX: 'x',
      COLUMNS: '80',
      KEEP: '1',
    },
    agentEnv: { HOLDFAST_GIT_SOCK: '/s' },
  });
  assert.deepEqual(Object.keys(env).sort(), [
    'HOLDFAST_GIT_SOCK',
    'HOME',
    'KEEP',
    'LC_CTYPE',
    'LOGNAME',
    'PATH',
    'SHELL',
    'USER',
  ]);
});

test('process environment - user, shell, home and connection are those of the session', () => {
  const env = buildEnvironment({
    ...base,
    processEnv: { USER: 'root', SHELL: '/bin/false', HOME: '/root' },
    ssh: { clientAddress: '10.0.0.1', clientPort: 5, serverAddress: '10.0.0.2', serverPort: 22 },
  });
  assert.equal(env['USER'], 'ada');
  assert.equal(env['LOGNAME'], 'ada');
  assert.equal(env['SHELL'], '/bin/bash');
  assert.equal(env['HOME'], '/home/ada');
  assert.equal(env['SSH_CLIENT'], '10.0.0.1 5 22');
  assert.equal(env['SSH_CONNECTION'], '10.0.0.1 5 10.0.0.2 22');
  assert.equal(env['TERM'], undefined);
});

test('process environment - a locale that is not UTF-8 gets a UTF-8 character type', () => {
  const type = (processEnv: NodeJS.ProcessEnv): string | undefined =>
    buildEnvironment({ ...base, processEnv })['LC_CTYPE'];
  assert.equal(type({}), 'C.UTF-8');
  assert.equal(type({ LANG: 'C' }), 'C.UTF-8');
  assert.equal(type({ LANG: 'C', LC_CTYPE: 'POSIX' }), 'C.UTF-8');
  assert.equal(type({ LANG: 'de_DE.UTF-8' }), undefined);
  assert.equal(type({ LC_CTYPE: 'en_US.utf8' }), 'en_US.utf8');
  assert.equal(type({ LC_ALL: 'C' }), undefined, 'a clear wish');
});

test('process environment - what a client may set', () => {
  for (const name of ['LANG', 'LC_ALL', 'LC_CTYPE', 'TERM', 'COLORTERM']) {
    assert.ok(acceptsFromClient(name), name);
  }
  const refused = [
    'LD_PRELOAD',
    'BASH_ENV',
    'ENV',
    'PATH',
    'NODE_OPTIONS',
    'GIT_SSH',
    'LANGUAGE',
    'LC',
  ];
  for (const name of refused) assert.ok(!acceptsFromClient(name), name);
  assert.ok(acceptsFromClient('MY_THING', ['MY_*']));
  assert.ok(acceptsFromClient('ONE', ['ONE']));
  assert.ok(!acceptsFromClient('ONE_MORE', ['ONE']));
});

test('process environment - GIT_SSH_COMMAND survives every character in the install path', () => {
  const paths = [
    "/tmp/a b'c$(x)/n",
    '/tmp/"quoted"/`run`',
    '/tmp/line\nbreak\\',
    "/tmp/'''",
    '/tmp/plain',
    '/tmp/*?[a]~#!&;|<>',
    '',
  ];
  for (const path of paths) {
    const command = `printf '%s\\0' ${[path, 'gitssh', '--'].map(quoteForShell).join(' ')}`;
    const words = execFileSync('/bin/sh', ['-c', command]).toString().split('\0');
    assert.deepEqual(words, [path, 'gitssh', '--', '']);
  }
  assert.throws(() => quoteForShell('a\0b'), RangeError);
});
