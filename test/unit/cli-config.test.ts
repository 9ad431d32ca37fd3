import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import {
  resolveConfig,
  Secret,
  takeSecrets,
  updateConfigFile,
  type ConfigInputs,
} from '../../src/main/cli/config/index.js';
import { tempDir } from '../support/index.js';

/** A config folder with this config file. */
function configDir(settings: unknown, mode = 0o600): string {
  const dir = tempDir();
  const text = typeof settings === 'string' ? settings : JSON.stringify(settings);
  writeFileSync(join(dir, 'config.json'), text);
  chmodSync(join(dir, 'config.json'), mode);
  return dir;
}

function inputs(over: Partial<ConfigInputs>): ConfigInputs {
  return { flags: {}, env: { HOME: tempDir() }, cwd: '/work', ...over };
}

test('config - flag beats environment beats file beats default', () => {
  const dir = configDir({ port: 3 });
  const said = {
    flag: { port: '1' },
    env: { HOLDFAST_PORT: '2' },
  };
  const cases = [
    { flags: said.flag, env: said.env, dir, port: 1, source: 'flag' },
    { flags: {}, env: said.env, dir, port: 2, source: 'environment' },
    { flags: {}, env: {}, dir, port: 3, source: 'file' },
    { flags: {}, env: {}, dir: tempDir(), port: 7420, source: 'default' },
    { flags: {}, env: { HOLDFAST_PORT: '' }, dir, port: 3, source: 'file' },
  ];
  for (const { flags, env, dir: folder, port, source } of cases) {
    const config = resolveConfig(
      ['port'],
      inputs({ flags, env: { ...env, HOLDFAST_CONFIG_DIR: folder } }),
    );
    assert.equal(config.port, port);
    assert.equal(config.sources.port, source);
  }
});

test('config - is frozen, lists included', () => {
  const config = resolveConfig(['stun', 'port'], inputs({ flags: { stun: ['stun:a:1'] } }));
  assert.ok(Object.isFrozen(config));
  assert.ok(Object.isFrozen(config.stun));
  assert.deepEqual(config.stun, ['stun:a:1']);
});

test('config - a wrong value names the setting and where it came from', () => {
  const dir = configDir({ port: 'x' });
  const at = (flags: Record<string, unknown>, env: Record<string, string>) => () =>
    resolveConfig(['port'], inputs({ flags, env: { HOLDFAST_CONFIG_DIR: dir, ...env } }));
  assert.throws(at({ port: '70000' }, {}), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /^--port must be a whole number/,
  });
  assert.throws(at({}, { HOLDFAST_PORT: '-1' }), {
    code: 'ERR_CONFIG',
    message: /^HOLDFAST_PORT in the environment must/,
  });
  assert.throws(at({}, {}), { code: 'ERR_CONFIG', message: /^"port" in .*config\.json must/ });
});

test('config - only what a command uses can be wrong', () => {
  const config = resolveConfig(['brokerUrl'], inputs({ env: { HOLDFAST_PORT: 'x' } }));
  assert.equal(config.brokerUrl, undefined);
});

test('config - the file must be one object of known settings', () => {
  const at = (settings: unknown) => () =>
    resolveConfig([], inputs({ flags: { configDir: configDir(settings) } }));
  assert.throws(at('{'), { code: 'ERR_CONFIG', message: /not valid JSON/ });
  assert.throws(at('[]'), { code: 'ERR_CONFIG', message: /one JSON object/ });
  assert.throws(at({ brokerurl: 'x' }), { message: /did you mean "brokerUrl"/ });
  assert.throws(at('{"token": "hf-secret", oops'), (error: Error) => {
    assert.doesNotMatch(error.message, /hf-secret/);
    return true;
  });
});

test('config - paths are relative to the working directory, in the file to the file', () => {
  const dir = configDir({ tlsCert: 'cert.pem', tlsKey: '/abs/key.pem' });
  const config = resolveConfig(
    ['tlsCert', 'tlsKey', 'readyFile'],
    inputs({ flags: { configDir: dir, readyFile: 'r.json' } }),
  );
  assert.equal(config.tlsCert, join(dir, 'cert.pem'));
  assert.equal(config.tlsKey, '/abs/key.pem');
  assert.equal(config.readyFile, '/work/r.json');
});

test('config - XDG folders hold if absolute, else those in the home folder', () => {
  const home = tempDir();
  const at = (env: Record<string, string>) => {
    const { configDir: config, stateDir } = resolveConfig(
      [],
      inputs({ env: { HOME: home, ...env } }),
    );
    return [config, stateDir];
  };
  assert.deepEqual(at({}), [join(home, '.config/holdfast'), join(home, '.local/state/holdfast')]);
  assert.deepEqual(at({ XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s' }), [
    '/c/holdfast',
    '/s/holdfast',
  ]);
  assert.deepEqual(at({ XDG_CONFIG_HOME: 'c' }), [
    join(home, '.config/holdfast'),
    join(home, '.local/state/holdfast'),
  ]);
});

test('config - the login of `up` is found where there is no other', () => {
  const home = tempDir();
  const client = join(home, '.local/state/holdfast/client');
  mkdirSync(client, { recursive: true });
  writeFileSync(join(client, 'config.json'), '{}', { mode: 0o600 });
  assert.equal(resolveConfig([], inputs({ env: { HOME: home } })).configDir, client);
  mkdirSync(join(home, '.config/holdfast'), { recursive: true });
  writeFileSync(join(home, '.config/holdfast/config.json'), '{}', { mode: 0o600 });
  assert.equal(
    resolveConfig([], inputs({ env: { HOME: home } })).configDir,
    join(home, '.config/holdfast'),
  );
});

const TOKEN_SETTINGS = ['token', 'tokenFile', 'tokenFd'] as const;

test('token - descriptor, file flag, environment, file variable, config: in this order', () => {
  const dir = tempDir();
  const file = (name: string): string => {
    writeFileSync(join(dir, name), `${name}\n`, { mode: 0o600 });
    return join(dir, name);
  };
  const config = configDir({ token: 'from-config' });
  const all = {
    flags: { configDir: config, tokenFile: file('flag'), tokenFd: openSync(file('fd'), 'r') },
    env: { HOLDFAST_TOKEN_FILE: file('variable') },
    token: 'environment',
  };
  const reveal = (over: Partial<ConfigInputs>): string | undefined =>
    resolveConfig(TOKEN_SETTINGS, inputs({ ...all, ...over })).token?.reveal();
  assert.equal(reveal({}), 'fd');
  const { tokenFd: _fd, ...withoutFd } = all.flags;
  assert.equal(reveal({ flags: withoutFd }), 'flag');
  assert.equal(reveal({ flags: { configDir: config } }), 'environment');
  assert.equal(reveal({ flags: { configDir: config }, token: undefined }), 'variable');
  assert.equal(reveal({ flags: { configDir: config }, token: undefined, env: {} }), 'from-config');
  assert.equal(reveal({ flags: { configDir: dir }, token: undefined, env: {} }), undefined);
});

test('token - a file that others may read is refused, with the cure', () => {
  const dir = configDir({ token: 'secret' }, 0o644);
  assert.throws(() => resolveConfig([], inputs({ flags: { configDir: dir } })), {
    code: 'ERR_CONFIG',
    hint: `Run: chmod 600 ${join(dir, 'config.json')}`,
  });
  const file = join(tempDir(), 'token');
  writeFileSync(file, 'secret');
  chmodSync(file, 0o640);
  assert.throws(() => resolveConfig(TOKEN_SETTINGS, inputs({ flags: { tokenFile: file } })), {
    code: 'ERR_CONFIG',
  });
});

test('token - never shows, however it is printed', () => {
  const secret = new Secret('hf-secret');
  const shown = [
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }),
    ''.concat(secret as unknown as string),
  ];
  for (const text of shown) assert.doesNotMatch(text, /hf-secret/);
  assert.equal(secret.reveal(), 'hf-secret');
});

test('token - is taken out of the environment', () => {
  const env: NodeJS.ProcessEnv = { HOLDFAST_TOKEN: 'x', OTHER: 'y' };
  assert.equal(takeSecrets(env).token, 'x');
  assert.deepEqual(env, { OTHER: 'y' });
});

test('config file - changes keep the rest, modes are tight', () => {
  const dir = join(tempDir(), 'new', 'folder');
  updateConfigFile(dir, { brokerUrl: 'http://a', token: 't' });
  const file = updateConfigFile(dir, { token: undefined, port: 5 });
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { brokerUrl: 'http://a', port: 5 });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
});

test('config - values are read strictly', () => {
  const read = (name: Parameters<typeof resolveConfig>[0][number], flag: string, value: unknown) =>
    Reflect.get(resolveConfig([name], inputs({ flags: { [flag]: value } })), name) as unknown;
  assert.equal(read('brokerUrl', 'broker', 'https://b.example/'), 'https://b.example');
  for (const bad of ['b.example', 'ftp://b', 'http://u:p@b', 'http://b/path', 'http://b/?x', '']) {
    assert.throws(() => read('brokerUrl', 'broker', bad), { code: 'ERR_INVALID_ARGUMENT' }, bad);
  }
  assert.deepEqual(read('listen', 'listen', '8080'), { host: '127.0.0.1', port: 8080 });
  assert.deepEqual(read('listen', 'listen', '[::1]:0'), { host: '::1', port: 0 });
  for (const bad of ['x', 'h:', 'h:65536', '::1:80', 'a b:1', 'h:1:2']) {
    assert.throws(() => read('listen', 'listen', bad), { code: 'ERR_INVALID_ARGUMENT' }, bad);
  }
  assert.equal(read('terminalIdle', 'terminalIdle', '2h'), 7_200_000);
  assert.equal(read('terminalIdle', 'terminalIdle', '0'), 0);
  for (const bad of ['', '-1', '5x', '1e9', '99999d']) {
    assert.throws(
      () => read('terminalIdle', 'terminalIdle', bad),
      { code: 'ERR_INVALID_ARGUMENT' },
      bad,
    );
  }
  assert.equal(read('workerBeat', 'workerBeat', '500ms'), 500);
  for (const bad of ['0', '99ms', '11m', 'often']) {
    assert.throws(
      () => read('workerBeat', 'workerBeat', bad),
      { code: 'ERR_INVALID_ARGUMENT' },
      bad,
    );
  }
  assert.equal(read('faultDoor', 'enableFaultDoor', 'no'), false);
  assert.throws(() => read('faultDoor', 'enableFaultDoor', 'maybe'));
});
