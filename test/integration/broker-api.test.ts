import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startBroker } from '../../src/main/broker/index.js';
import { openLmdbStore } from '../../src/main/broker/store/lmdb-store.js';
import { createBrokerApi } from '../../src/main/client/broker-api/index.js';
import { limits } from '../../src/shared/common/index.js';
import { generateIdentity, openStateDir } from '../../src/shared/node/state/index.js';
import { checkLeaks, tempDir, waitFor } from '../support/index.js';
import { testAgent, testBroker, type TestBroker } from '../support/broker/broker.js';

checkLeaks();

/** A request with full control over its headers. */
function raw(
  url: string,
  { method = 'GET', headers = {}, body = '' } = {},
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

function codeOfError(error: unknown): string {
  return (error as { code: string }).code;
}

function codeOf(body: string): string {
  return (JSON.parse(body) as { error: { code: string } }).error.code;
}

describe('broker API', () => {
  let it: TestBroker;
  before(async () => {
    it = await testBroker();
  });
  after(async () => {
    await it.broker.close();
  });

  test('broker - adds, lists, changes and removes workspaces', async () => {
    const { workspace, agentToken } = await it.admin.addWorkspace({
      name: 'one',
      owner_email: 'ann@example.org',
      owner_username: 'ann',
      environment_variables: { SECRET: 'canary-env' },
      startup_script: 'true',
      directory: '/srv',
      gitKey: 'canary-key',
    });
    assert.match(agentToken, /^hf_agent_/);
    assert.deepEqual(
      { ...workspace, id: '', createdAt: '' },
      {
        id: '',
        name: 'one',
        ownerEmail: 'ann@example.org',
        ownerUsername: 'ann',
        directory: '/srv',
        hasStartupScript: true,
        hasGitKey: true,
        createdAt: '',
        online: false,
      },
    );
    await assert.rejects(it.admin.addWorkspace({ name: 'one' }), { code: 'ERR_WORKSPACE_EXISTS' });
    const changed = await it.admin.updateWorkspace('one', { directory: '/new', gitKey: null });
    assert.equal(changed.directory, '/new');
    assert.equal(changed.ownerUsername, 'ann');
    assert.equal(changed.hasGitKey, false);
    const list = await raw(`${it.url}/api/v1/workspaces`, {
      headers: { authorization: `Bearer ${it.adminToken}` },
    });
    assert.ok(!list.body.includes('canary'));
    assert.equal(list.headers['cache-control'], 'no-store');
    await it.admin.removeWorkspace('one');
    assert.deepEqual(await it.admin.listWorkspaces(), []);
    await assert.rejects(it.admin.removeWorkspace('one'), { code: 'ERR_WORKSPACE_NOT_FOUND' });
  });

  test('broker - says which field of a body is wrong and changes nothing', async () => {
    const bad: [unknown, RegExp][] = [
      [{}, /name/],
      [{ name: '' }, /name/],
      [{ name: 'Upper' }, /name/],
      [{ name: '-a' }, /name/],
      [{ name: 'a/b' }, /name/],
      [{ name: 'a'.repeat(64) }, /name/],
      [{ name: 'x', directory: 5 }, /directory/],
      [{ name: 'x', directory: 'a\0b' }, /directory/],
      [{ name: 'x', environment_variables: { A: 1 } }, /environment_variables/],
      [{ name: 'x', environment_variables: { 'A=': '' } }, /environment_variables/],
      [{ name: 'x', extra: 1 }, /extra/],
      [{ name: 'x', startup_script: 'y'.repeat(limits.METADATA_BYTES) }, /too long/],
      [[], /body/],
      ['x', /body/],
    ];
    for (const [body, message] of bad)
      await assert.rejects(
        it.admin.addWorkspace(body as { name: string }),
        { code: 'ERR_INVALID_ARGUMENT', message },
        JSON.stringify(body).slice(0, 80),
      );
    assert.deepEqual(await it.admin.listWorkspaces(), []);
  });

  test('broker - answers malformed requests in JSON with a code', async () => {
    const headers = {
      authorization: `Bearer ${it.adminToken}`,
      'content-type': 'application/json',
    };
    const post = (body: string, more = {}): ReturnType<typeof raw> =>
      raw(`${it.url}/api/v1/workspaces`, {
        method: 'POST',
        headers: { ...headers, ...more },
        body,
      });
    for (const body of ['', '{', '[[[[', '{"__proto__":{"name":"x"}}', '\u0000', 'null', '1e400']) {
      const answer = await post(body);
      assert.equal(answer.status, 400, body);
      assert.equal(codeOf(answer.body), 'ERR_INVALID_ARGUMENT', body);
    }
    assert.equal(codeOf((await post('['.repeat(200_000))).body), 'ERR_INVALID_ARGUMENT');
    const long = await post(' '.repeat(limits.METADATA_BYTES * 2));
    assert.equal(long.status, 413);
    assert.equal(codeOf(long.body), 'ERR_MESSAGE_TOO_LARGE');
    assert.equal((await post('x', { 'content-type': 'text/plain' })).status, 415);
    for (const path of [
      '/nothing',
      '/api/v1/nothing',
      '/api/v1/workspaces/a/b/c',
      '/%2e%2e/%2e%2e/etc/passwd',
    ]) {
      const answer = await raw(it.url + path);
      assert.equal(answer.status, 404, path);
      assert.equal(codeOf(answer.body), 'ERR_NOT_FOUND', path);
    }
    assert.equal(
      (await raw(`${it.url}/api/v1/workspaces`, { headers: { 'x-pad': 'p'.repeat(20_000) } }))
        .status,
      431,
    );
  });

  test('broker - one path tells nothing about workspaces that a token does not reach', async () => {
    await it.admin.addWorkspace({ name: 'mine' });
    await it.admin.addWorkspace({ name: 'theirs' });
    const { secret, token } = await it.admin.createToken({
      name: 'ann',
      workspaces: ['mine'],
      scopes: ['ssh', 'terminal:*:type'],
    });
    assert.deepEqual(token.workspaces, ['mine']);
    const ann = it.api(secret);
    assert.deepEqual((await ann.whoami()).token, token);
    assert.deepEqual(
      (await ann.listWorkspaces()).map(({ name }) => name),
      ['mine'],
    );
    const { publicKey } = generateIdentity();
    const ticket = await ann.getTicket('mine', { publicKey });
    assert.equal(ticket.subject, 'ann');
    assert.equal(ticket.online, false);
    assert.equal(ticket.agentKey, undefined);
    const errors: string[] = [];
    for (const name of ['theirs', 'unknown'])
      await ann.getTicket(name, { publicKey }).catch((error: unknown) => {
        errors.push((error as Error).message.replace(name, ''));
      });
    assert.equal(errors.length, 2);
    assert.equal(errors[0], errors[1]);
    await assert.rejects(ann.getTicket('mine', { publicKey, scopes: ['owner'] }), {
      code: 'ERR_FORBIDDEN',
    });
    await assert.rejects(ann.getTicket('mine', { publicKey: 'x' }), {
      code: 'ERR_INVALID_ARGUMENT',
    });
    for (const forbidden of [
      ann.addWorkspace({ name: 'x' }),
      ann.removeWorkspace('mine'),
      ann.updateWorkspace('mine', {}),
      ann.renewAgentToken('mine'),
      ann.createToken({ name: 'x', workspaces: ['mine'] }),
    ])
      await assert.rejects(forbidden, { code: 'ERR_FORBIDDEN' });
  });

  test('broker - an owner makes tokens no wider than their own, and takes them along when revoked', async () => {
    const { secret, token } = await it.admin.createToken({
      name: 'owner',
      workspaces: ['mine'],
      expiresIn: 3_600,
    });
    const owner = it.api(secret);
    const share = await owner.createToken({
      name: 'guest',
      workspaces: ['mine'],
      scopes: ['terminal:build:view'],
      expiresIn: 86_400,
    });
    assert.equal(share.token.expiresAt, token.expiresAt);
    for (const input of [
      { name: 'x', workspaces: ['theirs'] },
      { name: 'x', workspaces: 'all' as const },
      { name: 'x', workspaces: ['mine'], role: 'admin' as const },
    ])
      await assert.rejects(owner.createToken(input), /ERR_|no workspace|reach|admin/);
    const names = (await owner.listTokens()).map(({ name }) => name);
    assert.deepEqual(names.sort(), ['guest', 'owner']);
    await assert.rejects(owner.revokeToken('operator'), { code: 'ERR_NOT_FOUND' });
    const guest = it.api(share.secret);
    await guest.whoami();
    await it.admin.revokeToken(token.id);
    await assert.rejects(guest.whoami(), { code: 'ERR_UNAUTHORIZED' });
    await assert.rejects(owner.whoami(), { code: 'ERR_UNAUTHORIZED' });
  });

  test('broker - an expired token is as bad as none', async () => {
    const { secret } = await it.admin.createToken({
      name: 'brief',
      workspaces: 'all',
      expiresIn: 1,
    });
    const brief = it.api(secret);
    await waitFor(
      () =>
        brief.whoami().then(
          () => false,
          (error: unknown) => codeOfError(error) === 'ERR_UNAUTHORIZED',
        ),
      { intervalMs: 300 },
    );
  });

  test('broker - every answer confines the page', async () => {
    for (const path of ['/', '/healthz', '/api/v1/whoami', '/nothing']) {
      const { headers } = await raw(it.url + path);
      const policy = String(headers['content-security-policy']);
      assert.match(policy, /default-src 'none'/, path);
      assert.match(policy, /script-src 'self';/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
      assert.equal(headers['cross-origin-embedder-policy'], 'require-corp');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      assert.equal(headers['access-control-allow-origin'], undefined);
      assert.equal(headers['set-cookie'], undefined);
    }
  });

  test('broker - refuses foreign pages and foreign host names, whatever their token', async () => {
    const authorization = `Bearer ${it.adminToken}`;
    const path = `${it.url}/api/v1/workspaces`;
    const evil = {
      authorization,
      origin: 'http://evil.example',
      'content-type': 'application/json',
    };
    const post = await raw(path, { method: 'POST', headers: evil, body: '{"name":"evil"}' });
    assert.equal(post.status, 403);
    assert.equal(codeOf(post.body), 'ERR_FORBIDDEN');
    const rebound = await raw(path, { headers: { authorization, host: 'evil.example' } });
    assert.equal(rebound.status, 403);
    assert.ok(!(await it.admin.listWorkspaces()).some(({ name }) => name === 'evil'));
  });

  test('broker - answers health and metrics without names', async () => {
    assert.equal((await raw(`${it.url}/healthz`)).body, '{"status":"ok","version":"0.1.0"}');
    const metrics = await raw(`${it.url}/metrics`);
    assert.match(metrics.body, /holdfast_broker_agents 0/);
    assert.match(metrics.body, /holdfast_broker_requests_total\{status="401"\}/);
    assert.ok(!metrics.body.includes('mine'));
  });

  test('broker - a request sent byte by byte is cut off', async () => {
    const socket = connect(it.broker.port, '127.0.0.1');
    let closed = false;
    socket.on('error', () => undefined).on('close', () => (closed = true));
    socket.write('GET / HTTP/1.1\r\n');
    const drip = setInterval(() => socket.write('x'), 500);
    await waitFor(() => closed, { what: 'the cut', timeoutMs: 25_000 });
    clearInterval(drip);
  });
});

describe('guessing', () => {
  test('guessing - failures are limited, a good token never waits behind them', async () => {
    const it = await testBroker();
    const codes = new Map<string, number>();
    const guess = async (index: number): Promise<void> => {
      const token = `hf_user_${String(index).padStart(43, 'A')}`;
      await it
        .api(token)
        .whoami()
        .catch((error: unknown) => {
          const code = codeOfError(error);
          codes.set(code, (codes.get(code) ?? 0) + 1);
        });
    };
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 10 }, (_, i) => guess(round * 10 + i)));
      await it.admin.whoami();
    }
    assert.deepEqual(Object.fromEntries(codes), { ERR_UNAUTHORIZED: 5, ERR_RATE_LIMITED: 195 });
    // The other kind's token, a malformed one and none at all are failures like any other.
    const { agentToken } = await it.admin.addWorkspace({ name: 'a' });
    for (const token of [agentToken, 'x', `${it.adminToken}x`])
      await assert.rejects(it.api(token).whoami(), { code: 'ERR_RATE_LIMITED' });
    await it.broker.close();
  });
});

describe('broker life', () => {
  test('broker - keeps workspaces, tokens and its own key over a restart', async () => {
    const first = await testBroker();
    const { agentToken } = await first.admin.addWorkspace({ name: 'kept', directory: '/d' });
    const { secret } = await first.admin.createToken({ name: 'ann', workspaces: ['kept'] });
    const agent = await testAgent(first.url, agentToken);
    await agent.loop.close();
    await Promise.all([first.broker.close(), first.broker.close()]);
    await first.broker.closed;
    const second = await testBroker({ stateDir: first.stateDir });
    assert.equal(second.adminToken, first.adminToken);
    assert.deepEqual(second.broker.issuerKey, first.broker.issuerKey);
    const [kept] = await second.api(secret).listWorkspaces();
    assert.equal(kept?.agentKey, agent.identity.publicKey);
    assert.equal(kept.sshHostKey, agent.identity.sshPublicKey);
    assert.equal(kept.directory, '/d');
    const again = await testAgent(second.url, agentToken, { identity: agent.identity });
    assert.equal(again.dialed[0]?.metadata.directory, '/d');
    await again.loop.close();
    await second.broker.close();
    const store = openLmdbStore(first.stateDir);
    const actions = (await store.auditLog(100)).map(({ action }) => action);
    await store.close();
    for (const action of [
      'token.created',
      'workspace.added',
      'agent.connected',
      'agent.disconnected',
    ])
      assert.ok(actions.includes(action as (typeof actions)[number]), action);
  });

  test('broker - writes private files only, and no token into any of them', async () => {
    const it = await testBroker();
    const { agentToken } = await it.admin.addWorkspace({ name: 'w' });
    const { secret } = await it.admin.createToken({ name: 'ann', workspaces: 'all' });
    for (const name of readdirSync(it.stateDir))
      assert.equal(statSync(join(it.stateDir, name)).mode & 0o777, 0o600, name);
    assert.equal(statSync(it.stateDir).mode & 0o777, 0o700);
    await it.broker.close();
    for (const token of [agentToken, secret])
      assert.throws(() => execFileSync('grep', ['-raqF', token, it.stateDir]), { status: 1 });
    for (const canary of [agentToken, secret, it.adminToken])
      assert.ok(!JSON.stringify(it.records).includes(canary));
  });

  test('broker - makes a new operator token when the old one was revoked or its file is gone', async () => {
    const first = await testBroker();
    await first.admin.revokeToken('operator');
    await assert.rejects(first.admin.whoami(), { code: 'ERR_UNAUTHORIZED' });
    await first.broker.close();
    const second = await testBroker({ stateDir: first.stateDir });
    assert.notEqual(second.adminToken, first.adminToken);
    await second.admin.whoami();
    await second.broker.close();
    unlinkSync(second.broker.adminTokenFile);
    const third = await testBroker({ stateDir: first.stateDir });
    await assert.rejects(third.api(second.adminToken).whoami(), { code: 'ERR_UNAUTHORIZED' });
    await third.broker.close();
  });

  test('broker - a second one on the same folder, a taken port and bad options get clear errors', async () => {
    const it = await testBroker();
    await assert.rejects(startBroker({ stateDir: it.stateDir, port: 0 }), {
      code: 'ERR_ALREADY_RUNNING',
    });
    const stateDir = tempDir();
    await assert.rejects(startBroker({ stateDir, port: it.broker.port }), {
      code: 'ERR_PORT_IN_USE',
    });
    const bad = [
      { port: -1 },
      { port: 65_536 },
      { port: 1.5 },
      { host: '0.0.0.0' },
      { host: '192.0.2.1' },
      { host: '::' },
      { publicUrl: 'x' },
      { publicUrl: 'http://a/path' },
      { publicUrl: 'ftp://a' },
      { stun: ['http://x'] },
      { host: '192.0.2.1', allowInsecureListen: true },
    ];
    for (const options of bad)
      await assert.rejects(
        startBroker({ stateDir, port: 0, ...options }),
        { code: 'ERR_INVALID_ARGUMENT' },
        JSON.stringify(options),
      );
    await assert.rejects(
      startBroker({ stateDir, port: 0, tls: { certFile: '/nowhere', keyFile: '/nowhere' } }),
      { code: 'ERR_CONFIG' },
    );
    await assert.rejects(
      startBroker({
        stateDir,
        port: 0,
        turn: { urls: ['turn:x'], secretFile: join(stateDir, 'none') },
      }),
      { code: 'ERR_CONFIG' },
    );
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    await assert.rejects(startBroker({ stateDir: file, port: 0 }), { code: 'ERR_STATE_DIR' });
    await it.broker.close();
    // Nothing was left open or locked by the failures.
    const again = await testBroker({ stateDir });
    await again.broker.close();
  });

  test('broker - beyond loopback numbers are for admins', async () => {
    const it = await testBroker({ publicUrl: 'https://broker.example' });
    assert.equal(it.broker.publicUrl, 'https://broker.example');
    assert.equal((await raw(`${it.url}/metrics`)).status, 401);
    const headers = { authorization: `Bearer ${it.adminToken}`, host: 'broker.example' };
    assert.equal((await raw(`${it.url}/metrics`, { headers })).status, 200);
    await it.broker.close();
  });

  test('broker - serves the page, and its own addresses with it', async () => {
    const webRoot = join(tempDir(), 'web');
    mkdirSync(webRoot);
    writeFileSync(join(webRoot, 'index.html'), '<title>page</title>');
    writeFileSync(join(webRoot, 'main.js'), 'void 0;');
    writeFileSync(join(webRoot, '.hidden'), 'canary');
    const it = await testBroker({ webRoot });
    for (const path of ['/', '/w/local', '/w/local/t/build?x=1']) {
      const answer = await raw(it.url + path);
      assert.equal(answer.status, 200, path);
      assert.match(answer.body, /page/);
      assert.match(String(answer.headers['content-type']), /text\/html/);
    }
    assert.match(String((await raw(`${it.url}/main.js`)).headers['content-type']), /javascript/);
    for (const path of ['/.hidden', '/../../../../etc/passwd', '/missing.js', '/w'])
      assert.notEqual((await raw(it.url + path)).status, 200, path);
    assert.equal(codeOf((await raw(`${it.url}/api/v1/x`)).body), 'ERR_NOT_FOUND');
    await it.broker.close();
  });
});

describe('API client', () => {
  test('API client - tells apart a broker that is down, slow, or something else', async () => {
    const listenOn = async (onSocket: (socket: Socket) => void): Promise<[Server, string]> => {
      const server = createServer(onSocket).listen(0, '127.0.0.1');
      await once(server, 'listening');
      return [server, `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`];
    };
    const api = (url: string, timeoutMs = 15_000): ReturnType<typeof createBrokerApi> =>
      createBrokerApi({ brokerUrl: url, token: 'x', timeoutMs });
    const [closed, closedUrl] = await listenOn(() => undefined);
    closed.close();
    await once(closed, 'close');
    await assert.rejects(api(closedUrl).whoami(), {
      code: 'ERR_BROKER_UNREACHABLE',
      message: /ECONNREFUSED/,
    });
    const sockets: Socket[] = [];
    const [silent, silentUrl] = await listenOn((socket) => sockets.push(socket));
    await assert.rejects(api(silentUrl, 200).whoami(), {
      code: 'ERR_BROKER_UNREACHABLE',
      message: /no answer in time/,
    });
    const abort = new AbortController();
    const seen = sockets.length;
    const waiting = api(silentUrl).whoami({ signal: abort.signal });
    await waitFor(() => sockets.length > seen);
    abort.abort();
    await assert.rejects(waiting, { code: 'ERR_CLOSED' });
    for (const socket of sockets) socket.destroy();
    silent.close();
    const [other, otherUrl] = await listenOn((socket) => {
      socket.resume();
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello');
    });
    await assert.rejects(api(otherUrl).whoami(), { code: 'ERR_PROTOCOL' });
    other.close();
    assert.throws(() => api('ftp://x'), { code: 'ERR_INVALID_ARGUMENT' });
    assert.throws(() => api('x'), { code: 'ERR_INVALID_ARGUMENT' });
  });
});

describe('store', () => {
  test('store - a write that throws leaves nothing, a read cannot write, names follow their workspace', async () => {
    const store = openLmdbStore(await openStateDir(join(tempDir(), 's')));
    const record = {
      id: '1',
      name: 'a',
      metadata: { owner_email: '', owner_username: '', environment_variables: {}, directory: '' },
      createdAt: 1,
    };
    const tries = Array.from({ length: 50 }, (_, i) =>
      store
        .write((transaction) => {
          transaction.putWorkspace({ ...record, id: String(i), name: `n${String(i)}` });
          if (i % 2 === 1) throw new Error('no');
        })
        .catch(() => undefined),
    );
    await Promise.all(tries);
    const names = await store.read((transaction) =>
      transaction.workspaces().map(({ name }) => name),
    );
    assert.equal(names.length, 25);
    await assert.rejects(
      store.read((transaction) => {
        transaction.putWorkspace(record);
      }),
      { code: 'ERR_INTERNAL' },
    );
    await store.write((transaction) => {
      transaction.putWorkspace({ ...record, id: '0', name: 'renamed' });
    });
    await store.read((transaction) => {
      assert.equal(transaction.workspaceByName('n0'), undefined);
      assert.equal(transaction.workspaceByName('renamed')?.id, '0');
    });
    await store.close();
  });
});
