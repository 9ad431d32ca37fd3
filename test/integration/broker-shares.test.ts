import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { WebSocket } from 'ws';
import { limits } from '../../src/shared/common/index.js';
import {
  formatShareLink,
  parseShareLink,
  SIGNALLING_VERSION,
  type ShareCreated,
  type ShareInput,
} from '../../src/shared/common/wire/index.js';
import { generateIdentity } from '../../src/shared/node/state/index.js';
import { checkLeaks, seededRandom } from '../support/index.js';
import { testAgent, testBroker, type TestBroker } from '../support/broker/broker.js';

checkLeaks();

const KEY = generateIdentity().publicKey;

describe('broker shares', () => {
  let it: TestBroker;
  before(async () => {
    it = await testBroker({ publicUrl: 'https://broker.example' });
    for (const name of ['build', 'other', 'fresh']) {
      const { agentToken } = await it.admin.addWorkspace({ name });
      // An agent has to have been there once, so that a link can say whom it leads to.
      if (name !== 'fresh') await (await testAgent(it.url, agentToken)).loop.close();
    }
  });
  after(async () => {
    await it.broker.close();
  });

  const share = (input: Partial<ShareInput> = {}): Promise<ShareCreated> =>
    it.admin.createShare({ workspace: 'build', terminal: 'main', ...input });

  test('broker shares - a link holds the secret and the key of the agent in its fragment', async () => {
    const { share: made, secret, agentKey, publicUrl } = await share({ mode: 'type', name: 'Ann' });
    const link = formatShareLink({
      origin: publicUrl ?? '',
      workspace: made.workspace,
      terminal: made.terminal,
      secret,
      agentKey,
    });
    assert.match(link, /^https:\/\/broker\.example\/s\/build\/main#hf_share_[\w-]{43}\.[\w-]{43}$/);
    assert.deepEqual(parseShareLink(link), {
      origin: 'https://broker.example',
      workspace: 'build',
      terminal: 'main',
      secret,
      agentKey,
    });
    const [workspace] = (await it.admin.listWorkspaces()).filter(({ name }) => name === 'build');
    assert.equal(agentKey, workspace?.agentKey);
    const [listed] = await it.admin.listShares({ workspace: 'build' });
    assert.deepEqual(listed, made);
    assert.equal(made.state, 'active');
    assert.equal(made.createdBy, 'operator');
    assert.equal(
      Date.parse(made.expiresAt ?? '') - Date.parse(made.createdAt),
      limits.SHARE_MS,
      'the default life',
    );
    assert.ok(!JSON.stringify(it.records).includes(secret.slice(9)), 'the secret was logged');
    const stored = readFileSync(join(it.stateDir, 'store.mdb'));
    assert.ok(!stored.includes(secret.slice(9)), 'the secret was stored');
  });

  test('broker shares - a ticket has the one scope of the link, and says so', async () => {
    const { share: made, secret } = await share({ terminal: '*', viewers: 3, expiresIn: 60 });
    const answer = await it.api(secret).getTicket('build', { publicKey: KEY });
    const claims = decodeJwt(answer.ticket);
    assert.deepEqual(claims['scope'], ['terminal:*:view']);
    assert.deepEqual(claims['shr'], {
      id: made.id,
      cap: 3,
      exp: Math.floor(Date.parse(made.expiresAt ?? '') / 1_000),
    });
    assert.equal(claims.sub, 'guest (link)');
    assert.deepEqual(answer.share, { terminal: '*', mode: 'view', expiresAt: made.expiresAt });
    assert.equal(answer.sshHostKey, undefined);
    const narrow = await it.api(secret).getTicket('build', {
      publicKey: KEY,
      scopes: ['terminal:main:view'],
    });
    assert.deepEqual(decodeJwt(narrow.ticket)['scope'], ['terminal:main:view']);
    for (const scope of ['owner', 'ssh', 'sftp', 'forward', 'terminal:main:type'])
      await assert.rejects(it.api(secret).getTicket('build', { publicKey: KEY, scopes: [scope] }), {
        code: 'ERR_FORBIDDEN',
      });
  });

  test('broker shares - a link that was revoked, has expired or is for another workspace is refused with its code', async () => {
    const ask = (secret: string, workspace = 'build'): Promise<unknown> =>
      it.api(secret).getTicket(workspace, { publicKey: KEY });
    const revoked = await share();
    await it.admin.revokeShare(revoked.share.id);
    await it.admin.revokeShare(revoked.share.id);
    await assert.rejects(ask(revoked.secret), { code: 'ERR_SHARE_REVOKED' });
    const good = await share();
    await assert.rejects(ask(good.secret, 'other'), { code: 'ERR_SHARE_MISMATCH' });
    await assert.rejects(ask(good.secret, 'no-such'), { code: 'ERR_SHARE_MISMATCH' });
    const short = await share({ expiresIn: 1 });
    await ask(short.secret);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    await assert.rejects(ask(short.secret), { code: 'ERR_SHARE_EXPIRED' });
    const states = new Map((await it.admin.listShares()).map((one) => [one.id, one.state]));
    assert.equal(states.get(revoked.share.id), 'revoked');
    assert.equal(states.get(short.share.id), 'expired');
    assert.equal(states.get(good.share.id), 'active');
    // None of these was a guess.
    await ask(good.secret);
  });

  test('broker shares - only owners of the workspace make, see and end them', async () => {
    const token = async (name: string, workspaces: string[], scopes?: string[]): Promise<string> =>
      (await it.admin.createToken({ name, workspaces, ...(scopes && { scopes }) })).secret;
    const { share: made } = await share();
    const typist = it.api(await token('typist', ['build'], ['terminal:*:type']));
    const stranger = it.api(await token('stranger', ['other']));
    const owner = it.api(await token('owner', ['build']));
    const input = { workspace: 'build', terminal: 'main' } as const;
    await assert.rejects(typist.createShare(input), { code: 'ERR_FORBIDDEN' });
    await assert.rejects(typist.listShares(), { code: 'ERR_FORBIDDEN' });
    await assert.rejects(typist.revokeShare(made.id), { code: 'ERR_FORBIDDEN' });
    await assert.rejects(stranger.createShare(input), { code: 'ERR_WORKSPACE_NOT_FOUND' });
    await assert.rejects(stranger.listShares({ workspace: 'build' }), {
      code: 'ERR_WORKSPACE_NOT_FOUND',
    });
    assert.deepEqual(await stranger.listShares(), []);
    await assert.rejects(stranger.revokeShare(made.id), { code: 'ERR_NOT_FOUND' });
    const theirs = await owner.createShare(input);
    assert.equal(theirs.share.createdBy, 'owner');
    const seen = (await owner.listShares()).map(({ id }) => id);
    assert.ok(seen.includes(made.id), 'an owner sees every door to the workspace');
    await owner.revokeShare(made.id);
    await assert.rejects(
      it.admin.createShare({ workspace: 'fresh', terminal: 'main' }),
      { code: 'ERR_AGENT_OFFLINE' },
      'no key to put into the link',
    );
  });

  test('broker shares - bounds of a link are checked, and it never outlives the token that made it', async () => {
    const bad: Partial<Record<keyof ShareInput, unknown>>[] = [
      { terminal: 'a/b' },
      { terminal: '' },
      { mode: 'owner' },
      { name: 'a\nb' },
      { name: 'guest (link)' },
      { expiresIn: 0 },
      { expiresIn: -1 },
      { expiresIn: limits.SHARE_MAX_MS / 1_000 + 1 },
      { viewers: 0 },
      { viewers: limits.SHARE_MAX_VIEWERS + 1 },
    ];
    for (const input of bad)
      await assert.rejects(
        share(input as Partial<ShareInput>),
        { code: 'ERR_INVALID_ARGUMENT' },
        JSON.stringify(input),
      );
    assert.equal((await share({ expiresIn: null })).share.expiresAt, undefined);
    const { token, secret } = await it.admin.createToken({
      name: 'short',
      workspaces: ['build'],
      expiresIn: 600,
    });
    for (const expiresIn of [null, 3_600]) {
      const made = await it
        .api(secret)
        .createShare({ workspace: 'build', terminal: 'main', expiresIn });
      assert.equal(made.share.expiresAt, token.expiresAt);
    }
  });

  test('broker shares - they end with the token that made them, or one that made that, and with the workspace', async () => {
    const mother = await it.admin.createToken({ name: 'mother', workspaces: ['build'] });
    const daughter = await it
      .api(mother.secret)
      .createToken({ name: 'daughter', workspaces: ['build'] });
    const input = { workspace: 'build', terminal: 'main' } as const;
    const one = await it.api(mother.secret).createShare(input);
    const two = await it.api(daughter.secret).createShare(input);
    const three = await share();
    await it.admin.revokeToken(mother.token.id);
    for (const { secret } of [one, two])
      await assert.rejects(it.api(secret).getTicket('build', { publicKey: KEY }), {
        code: 'ERR_SHARE_REVOKED',
      });
    await it.api(three.secret).getTicket('build', { publicKey: KEY });
    const { agentToken } = await it.admin.addWorkspace({ name: 'gone' });
    await (await testAgent(it.url, agentToken)).loop.close();
    const four = await share({ workspace: 'gone' });
    await it.admin.removeWorkspace('gone');
    await assert.rejects(it.api(four.secret).getTicket('gone', { publicKey: KEY }), {
      code: 'ERR_UNAUTHORIZED',
    });
  });

  test('broker shares - a workspace has so many in force and remembers so many that ended', async () => {
    const { agentToken } = await it.admin.addWorkspace({ name: 'full' });
    await (await testAgent(it.url, agentToken)).loop.close();
    const input = { workspace: 'full', terminal: 'main' } as const;
    const made = await Promise.all(
      Array.from({ length: limits.SHARES_PER_WORKSPACE }, () => it.admin.createShare(input)),
    );
    await assert.rejects(it.admin.createShare(input), { code: 'ERR_PEER_LIMIT' });
    await Promise.all(made.map((one) => it.admin.revokeShare(one.share.id)));
    await it.admin.revokeShare((await it.admin.createShare(input)).share.id);
    await it.admin.createShare(input);
    const listed = await it.admin.listShares({ workspace: 'full' });
    assert.equal(listed.length, limits.SHARES_ENDED_KEPT + 1, 'the oldest were forgotten');
    await it.admin.removeWorkspace('full');
  });

  test('broker shares - no sequence of requests with the secret reaches anything but tickets of its scope', async () => {
    const random = seededRandom();
    const { share: made, secret } = await share();
    const victim = await share({ mode: 'type', name: 'victim' });
    const audit = async (): Promise<string> =>
      JSON.stringify([await it.admin.listWorkspaces(), await it.admin.listTokens()]);
    const before = await audit();
    const names = ['build', 'other', 'fresh', 'no-such', '..', '%2e%2e', 'build/agent-token'];
    const paths = [
      ...['/api/v1/whoami', '/api/v1/workspaces', '/api/v1/tokens', '/api/v1/shares'],
      ...['/api/v1/agent/git-key', '/api/v1/agent/listen', '/metrics', '/api/v1/connect'],
      ...[`/api/v1/shares/${made.id}`, `/api/v1/shares/${victim.share.id}`],
      ...['/api/v1/tokens/operator', '/api/v1/shares?workspace=build'],
      ...names.flatMap((name) => [
        `/api/v1/workspaces/${name}`,
        `/api/v1/workspaces/${name}/tickets`,
        `/api/v1/workspaces/${name}/agent-token`,
      ]),
    ];
    const bodies = [
      {},
      { publicKey: KEY },
      { publicKey: KEY, scopes: ['owner'] },
      { publicKey: KEY, scopes: ['terminal:main:view', 'terminal:other:view'] },
      { publicKey: KEY, scopes: ['terminal:*:view'] },
      { publicKey: KEY, shr: { id: victim.share.id, cap: 64 } },
      { workspace: 'build', terminal: '*', mode: 'type' },
      { name: 'mallory', workspaces: 'all', role: 'admin' },
      { forgetKey: true },
    ];
    let tickets = 0;
    // One step among the random ones is what a link is for, so that there is always something to compare.
    const rightful = random.int(0, 299);
    for (let count = 0; count < 300; count += 1) {
      const isRightful = count === rightful;
      const path = isRightful ? '/api/v1/workspaces/build/tickets' : random.pick(paths);
      const method = isRightful
        ? 'POST'
        : random.pick(['GET', 'POST', 'POST', 'PATCH', 'DELETE', 'PUT', 'HEAD']);
      const body = isRightful
        ? { publicKey: KEY }
        : method === 'GET' || method === 'HEAD'
          ? undefined
          : random.pick(bodies);
      const response = await fetch(it.url + path, {
        method,
        headers: {
          authorization: `Bearer ${secret}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const what = `${method} ${path} ${JSON.stringify(body)}: ${String(response.status)} ${text.slice(0, 200)} (${String(random.seed)})`;
      if (!response.ok) continue;
      assert.equal(path, '/api/v1/workspaces/build/tickets', what);
      const claims = decodeJwt((JSON.parse(text) as { ticket: string }).ticket);
      assert.deepEqual(claims['scope'], ['terminal:main:view'], what);
      assert.equal((claims['shr'] as { id: string }).id, made.id, what);
      tickets += 1;
    }
    assert.ok(tickets > 0, 'the sequence never asked for a ticket');
    assert.equal(await audit(), before);
    const left = (await it.admin.listShares({ workspace: 'build' })).map(({ id }) => id);
    assert.ok(left.includes(victim.share.id));
    // Nor as a ticket, or as the credential of an agent.
    const socket = new WebSocket(`${it.url.replace('http', 'ws')}/api/v1/connect`);
    const refused = await new Promise<string>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => {
        socket.send(JSON.stringify({ type: 'open', version: SIGNALLING_VERSION, ticket: secret }));
      });
      socket.on('message', (data: Buffer) => {
        resolve((JSON.parse(data.toString()) as { error: { code: string } }).error.code);
      });
    });
    assert.match(refused, /^ERR_(TICKET|RATE_LIMITED)$/);
    socket.close();
  });
});
