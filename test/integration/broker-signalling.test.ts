import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { limits } from '../../src/shared/common/index.js';
import { createBrokerDialer } from '../../src/main/agent/dial/index.js';
import { silentLogger } from '../../src/shared/common/index.js';
import { generateIdentity, writeSecretFile } from '../../src/shared/node/state/index.js';
import {
  testAgent,
  testBroker,
  type TestAgent,
  type TestBroker,
} from '../support/broker/broker.js';
import { RawSocket } from '../support/broker/raw-socket.js';
import { checkLeaks, tempDir, waitFor } from '../support/index.js';

checkLeaks();

const LISTEN = '/api/v1/agent/listen';
const CONNECT = '/api/v1/connect';
const { publicKey } = generateIdentity();

async function ticketFor(it: TestBroker, workspace = 'ws'): Promise<string> {
  return (await it.admin.getTicket(workspace, { publicKey })).ticket;
}

/** A client that has opened its session. */
async function openClient(it: TestBroker, ticket?: string): Promise<RawSocket> {
  const client = await new RawSocket(it.url + CONNECT).opened();
  client.send({ type: 'open', version: 1, ticket: ticket ?? (await ticketFor(it)) });
  await client.next('opened');
  return client;
}

describe('signalling', () => {
  let it: TestBroker;
  let agent: TestAgent;
  let agentToken: string;
  before(async () => {
    it = await testBroker({ stun: ['stun:127.0.0.1:3478'] });
    ({ agentToken } = await it.admin.addWorkspace({
      name: 'ws',
      gitKey: 'private key',
      directory: '/d',
    }));
    agent = await testAgent(it.url, agentToken);
  });
  after(async () => {
    await agent.loop.close();
    await it.broker.close();
  });

  test('signalling - the agent learns its workspace and its clients learn its keys', async () => {
    const [dialed] = agent.dialed;
    assert.equal(dialed?.workspace, 'ws');
    assert.equal(dialed.metadata.directory, '/d');
    assert.deepEqual(dialed.issuerKeys, [it.broker.issuerKey]);
    assert.equal(await dialed.gitKey?.(), 'private key');
    const ticket = await it.admin.getTicket('ws', { publicKey });
    assert.equal(ticket.online, true);
    assert.equal(ticket.workspaceId, dialed.workspaceId);
    assert.equal(ticket.agentKey, agent.identity.publicKey);
    assert.equal(ticket.sshHostKey, agent.identity.sshPublicKey);
    assert.equal((await it.admin.listWorkspaces())[0]?.online, true);
  });

  test('signalling - offer, answer and candidates pass both ways, early ones too', async () => {
    const ticket = await ticketFor(it);
    const client = await openClient(it, ticket);
    const opened = await client.next('opened');
    assert.match(opened.session, /^[A-Za-z0-9_-]{22}$/);
    assert.deepEqual(opened.iceServers, [{ urls: ['stun:127.0.0.1:3478'] }]);
    const before = agent.offers.length;
    client.send({ type: 'offer', sdp: 'the offer' });
    client.send({
      type: 'candidate',
      candidate: { candidate: 'c1', sdpMid: '0', sdpMLineIndex: 0 },
    });
    client.send({ type: 'candidate', candidate: { candidate: 'c2' } });
    const offer = await waitFor(() => agent.offers[before]);
    assert.equal(offer.session, opened.session);
    assert.equal(offer.ticket, ticket);
    assert.equal(offer.kind === 'webrtc' ? offer.sdp : offer.kind, 'the offer');
    await client.next('opened');
    const candidates: string[] = [];
    offer.exchange.onCandidate(({ candidate }) => candidates.push(candidate));
    await waitFor(() => candidates.length === 2);
    assert.deepEqual(candidates, ['c1', 'c2']);
    offer.exchange.answer('the answer');
    offer.exchange.candidate({ candidate: 'a1' });
    assert.equal((await client.next('answer')).sdp, 'the answer');
    assert.equal((await client.next('candidate')).candidate.candidate, 'a1');
    client.close();
    offer.exchange.answer('too late');
    offer.exchange.end();
  });

  test('signalling - that a connected client has gone is told', async () => {
    const client = await openClient(it);
    const before = agent.offers.length;
    client.send({ type: 'offer', sdp: 'x' });
    const offer = await waitFor(() => agent.offers[before]);
    let gone = 0;
    offer.exchange.onGone(() => (gone += 1));
    offer.exchange.stands();
    client.send({ type: 'connected' });
    client.close();
    await waitFor(() => gone === 1);
    offer.exchange.end();
  });

  test('signalling - of one that has not connected, or when the broker goes, nobody is told', async () => {
    const other = await testBroker();
    const { agentToken: token } = await other.admin.addWorkspace({ name: 'ws' });
    const its = await testAgent(other.url, token);
    const gone: string[] = [];
    const clients: RawSocket[] = [];
    for (const name of ['not connected', 'connected']) {
      const client = await openClient(other);
      clients.push(client);
      client.send({ type: 'offer', sdp: 'x' });
      const offer = await waitFor(() => its.offers[clients.length - 1]);
      offer.exchange.onGone(() => gone.push(name));
      if (name === 'connected') {
        offer.exchange.stands();
        client.send({ type: 'connected' });
      }
    }
    clients[0]?.close();
    await clients[0]?.closed();
    const { offers } = its;
    // A further exchange goes through all that came before it.
    const last = await openClient(other);
    last.send({ type: 'offer', sdp: 'last' });
    await waitFor(() => offers.length === 3);
    assert.deepEqual(gone, []);
    last.close();
    await its.loop.close();
    assert.deepEqual(gone, [], 'the link to the broker ended, which says nothing of the clients');
    await other.broker.close();
  });

  test('signalling - what the agent says against a client reaches it with its code', async () => {
    const client = await openClient(it);
    const before = agent.offers.length;
    client.send({ type: 'offer', sdp: 'x' });
    const offer = await waitFor(() => agent.offers[before]);
    offer.exchange.end({ code: 'ERR_TICKET', message: 'used before' });
    assert.equal(await client.failed(), 'ERR_TICKET');
    const polite = await openClient(it);
    polite.send({ type: 'offer', sdp: 'x' });
    (await waitFor(() => agent.offers[before + 1])).exchange.end();
    await polite.next('end');
    assert.equal(await polite.closed(), 1000);
  });

  test('signalling - clients never hear of each other', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => openClient(it)));
    const before = agent.offers.length;
    for (const [index, client] of clients.entries())
      client.send({ type: 'offer', sdp: String(index) });
    await waitFor(() => agent.offers.length === before + 20);
    for (const offer of agent.offers.slice(before))
      if (offer.kind === 'webrtc') offer.exchange.answer(`answer to ${offer.sdp}`);
    for (const [index, client] of clients.entries()) {
      assert.equal((await client.next('answer')).sdp, `answer to ${String(index)}`);
      assert.equal(client.messages.length, 2);
      client.close();
    }
  });

  test('signalling - bad tickets are refused before anybody hears of them', async () => {
    const good = await ticketFor(it);
    const used = await ticketFor(it);
    (await openClient(it, used)).close();
    const { secret, token } = await it.admin.createToken({ name: 'gone', workspaces: ['ws'] });
    const { ticket: revoked } = await it.api(secret).getTicket('ws', { publicKey });
    await it.admin.revokeToken(token.id);
    const before = agent.offers.length;
    const cases: [string, string][] = [
      [used, 'ERR_TICKET'],
      [good.slice(0, -2), 'ERR_TICKET'],
      ['x', 'ERR_TICKET'],
      ['', 'ERR_TICKET'],
      [revoked, 'ERR_UNAUTHORIZED'],
      ['x'.repeat(limits.TICKET_BYTES + 1), 'ERR_PROTOCOL'],
    ];
    for (const [ticket, code] of cases) {
      const client = await new RawSocket(it.url + CONNECT).opened();
      client.send({ type: 'open', version: 1, ticket });
      client.send({ type: 'offer', sdp: 'x' });
      assert.equal(await client.failed(), code, ticket.slice(0, 20));
    }
    // However many fail, a good one gets in; the failures themselves are limited.
    for (let i = 0; i < 5; i += 1) {
      const client = await new RawSocket(it.url + CONNECT).opened();
      client.send({ type: 'open', version: 1, ticket: 'x' });
      await client.closed();
    }
    const limited = await new RawSocket(it.url + CONNECT).opened();
    limited.send({ type: 'open', version: 1, ticket: 'x' });
    assert.equal(await limited.failed(), 'ERR_RATE_LIMITED');
    (await openClient(it, good)).close();
    assert.equal(agent.offers.length, before);
  });

  test('signalling - malformed messages end that client with a code, and only it', async () => {
    const ticket = (): Promise<string> => ticketFor(it);
    const cases: [unknown[], string][] = [
      [['not json'], 'ERR_PROTOCOL'],
      [['['.repeat(60_000)], 'ERR_PROTOCOL'],
      [['null'], 'ERR_PROTOCOL'],
      [[{ type: 'nothing' }], 'ERR_PROTOCOL'],
      [[{ type: 'offer', sdp: 'x' }], 'ERR_PROTOCOL'],
      [[{ type: 'open', version: 2, ticket: await ticket() }], 'ERR_PROTOCOL_VERSION'],
      [[{ type: 'open', version: '1', ticket: await ticket() }], 'ERR_PROTOCOL'],
    ];
    for (const [messages, code] of cases) {
      const client = await new RawSocket(it.url + CONNECT).opened();
      for (const message of messages) client.send(message);
      assert.equal(await client.failed(), code, JSON.stringify(messages).slice(0, 60));
    }
    const later: unknown[] = [
      { type: 'open', version: 1, ticket: await ticket() },
      { type: 'offer', sdp: '' },
      { type: 'candidate', candidate: { candidate: 5 } },
      { type: 'candidate', candidate: { candidate: 'c'.repeat(2_000) } },
      { type: 'answer', sdp: 'x' },
      { type: 'relay', ticket: 'x' },
    ];
    for (const message of later) {
      const client = await openClient(it);
      client.send(message);
      assert.match(await client.failed(), /^ERR_(PROTOCOL|TICKET|RATE_LIMITED)$/);
    }
    const binary = await new RawSocket(it.url + CONNECT).opened();
    binary.ws.send(Buffer.from('{}'), { binary: true });
    assert.equal(await binary.failed(), 'ERR_PROTOCOL');
    const twice = await openClient(it);
    twice.send({ type: 'offer', sdp: 'x' });
    twice.send({ type: 'offer', sdp: 'x' });
    assert.equal(await twice.failed(), 'ERR_PROTOCOL');
    const flood = await openClient(it);
    for (let i = 0; i < limits.SIGNAL_SESSION_MESSAGES; i += 1)
      flood.send({ type: 'candidate', candidate: { candidate: 'c' } });
    assert.equal(await flood.failed(), 'ERR_PROTOCOL');
    (await openClient(it)).close();
    assert.equal(agent.loop.state, 'connected');
  });

  test('signalling - oversized and endless messages are cut off', async () => {
    const large = await new RawSocket(it.url + CONNECT).opened();
    large.ws.send('x'.repeat(limits.SIGNAL_MESSAGE_BYTES + 1));
    assert.equal(await large.closed(), 1009);
    const pieces = await new RawSocket(it.url + CONNECT).opened();
    for (let i = 0; i < 200; i += 1) pieces.ws.send('x', { fin: false });
    assert.notEqual(await pieces.closed(), 1000);
    const open = await openClient(it);
    open.ws.send('x'.repeat(limits.SIGNAL_MESSAGE_BYTES + 1));
    assert.equal(await open.closed(), 1009);
    await waitFor(() =>
      it.records.some(({ fields }) => String(fields['error']).startsWith('ERR_MESSAGE_TOO_LARGE')),
    );
  });

  test('signalling - a client that says nothing, or only drips, is gone after 5 s', async () => {
    const silent = await new RawSocket(it.url + CONNECT).opened();
    const agentSilent = await new RawSocket(it.url + LISTEN, {
      headers: { authorization: `Bearer ${agentToken}` },
    }).opened();
    const drip = await new RawSocket(it.url + CONNECT).opened();
    const timer = setInterval(() => {
      if (drip.ws.readyState === drip.ws.OPEN) drip.ws.ping();
    }, 200);
    assert.equal(await silent.failed(), 'ERR_PEER_TIMEOUT');
    assert.equal(await drip.failed(), 'ERR_PEER_TIMEOUT');
    await agentSilent.closed();
    clearInterval(timer);
    assert.equal(agent.loop.state, 'connected');
  });

  test('signalling - foreign origins get no WebSocket at any door', async () => {
    const port = String(it.broker.port);
    const origins = [
      'null',
      'http://evil.example',
      'http://127.0.0.1',
      `http://127.0.0.1:${port}0`,
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port}/`,
      `http://localhost:${port}`,
      `http://127.0.0.1:${port}.evil.example`,
      `http://127.0.0.1:${port}@evil.example`,
      `http://evil.example:${port}`,
      `HTTP://127.0.0.1:${port}`,
      `http://127.0.0.1.:${port}`,
      `http://[::1]:${port}`,
      'file://',
      `ws://127.0.0.1:${port}`,
    ];
    for (const origin of origins)
      for (const path of [CONNECT, LISTEN, `/api/v1/relay/${'A'.repeat(43)}`]) {
        const socket = new RawSocket(it.url + path, {
          headers: { origin, authorization: `Bearer ${agentToken}` },
        });
        assert.equal(await socket.refused(), 'ERR_FORBIDDEN', `${origin} ${path}`);
      }
    const rebound = new RawSocket(it.url + CONNECT, { headers: { host: `evil.example:${port}` } });
    assert.equal(await rebound.refused(), 'ERR_FORBIDDEN');
    const own = await new RawSocket(it.url + CONNECT, { headers: { origin: it.url } }).opened();
    own.close();
  });

  test('signalling - agents without a good agent token stay outside', async () => {
    const tokens = ['', 'x', it.adminToken, `hf_agent_${'A'.repeat(43)}`, `${agentToken}x`];
    for (const token of tokens) {
      const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
      assert.match(
        await new RawSocket(it.url + LISTEN, { headers }).refused(),
        /^ERR_(UNAUTHORIZED|RATE_LIMITED)$/,
      );
    }
    const unknown = new RawSocket(`${it.url}/api/v1/nothing`);
    assert.equal(await unknown.refused(), 'ERR_NOT_FOUND');
  });

  test('signalling - too many sockets that show nothing are refused, proven ones go on', async () => {
    const idle: RawSocket[] = [];
    for (let i = 0; i < limits.UNPROVEN_SOCKETS_PER_SOURCE; i += 1)
      idle.push(new RawSocket(it.url + CONNECT));
    await Promise.all(idle.map((socket) => socket.opened()));
    assert.equal(await new RawSocket(it.url + CONNECT).refused(), 'ERR_RATE_LIMITED');
    assert.equal(agent.loop.state, 'connected');
    for (const socket of idle) socket.close();
    await waitFor(async () => {
      const socket = new RawSocket(it.url + CONNECT);
      const isIn = await socket.opened().then(
        () => true,
        () => false,
      );
      socket.close();
      return isIn;
    });
  });
});

describe('agent links', () => {
  test('agent link - a newer one takes over and the older is told', async () => {
    const it = await testBroker();
    const { agentToken } = await it.admin.addWorkspace({ name: 'ws' });
    const headers = { authorization: `Bearer ${agentToken}` };
    const identity = generateIdentity();
    const hello = {
      type: 'hello',
      version: 1,
      agentVersion: '1',
      agentKey: identity.publicKey,
      sshHostKey: identity.sshPublicKey,
    };
    const older = await new RawSocket(it.url + LISTEN, { headers }).opened();
    older.send(hello);
    await waitFor(() => older.messages.length === 1);
    const newer = await testAgent(it.url, agentToken, { identity });
    assert.equal(await older.failed(), 'ERR_ALREADY_RUNNING');
    const client = await openClient(it);
    client.send({ type: 'offer', sdp: 'x' });
    await waitFor(() => newer.offers.length === 1);
    client.close();
    await newer.loop.close();
    await waitFor(async () => (await it.admin.listWorkspaces())[0]?.online === false);
    const late = await new RawSocket(it.url + CONNECT).opened();
    late.send({ type: 'open', version: 1, ticket: await ticketFor(it) });
    assert.equal(await late.failed(), 'ERR_AGENT_OFFLINE');
    await it.broker.close();
  });

  test('agent link - another identity key is refused until the owner lets it be forgotten', async () => {
    const it = await testBroker();
    const { agentToken } = await it.admin.addWorkspace({ name: 'ws' });
    const first = await testAgent(it.url, agentToken);
    const imposter = await testAgent(it.url, agentToken, { noWait: true });
    await waitFor(() => imposter.loop.lastError?.code === 'ERR_PEER_AUTH');
    assert.equal(imposter.dialed.length, 0);
    assert.equal(first.loop.state, 'connected');
    await first.loop.close();
    await imposter.loop.close();
    const renewed = await it.admin.renewAgentToken('ws');
    const still = await testAgent(it.url, renewed.agentToken, { noWait: true });
    await waitFor(() => still.loop.lastError?.code === 'ERR_PEER_AUTH');
    await still.loop.close();
    const forgotten = await it.admin.renewAgentToken('ws', { forgetKey: true });
    assert.equal(forgotten.workspace.agentKey, undefined);
    const fresh = await testAgent(it.url, forgotten.agentToken);
    assert.equal((await it.admin.listWorkspaces())[0]?.agentKey, fresh.identity.publicKey);
    await fresh.loop.close();
    await it.broker.close();
  });

  test('agent link - revoking ends links and sessions at once', async () => {
    const it = await testBroker();
    const { agentToken } = await it.admin.addWorkspace({ name: 'ws' });
    const agent = await testAgent(it.url, agentToken);
    const { secret, token } = await it.admin.createToken({ name: 'ann', workspaces: ['ws'] });
    const { ticket } = await it.api(secret).getTicket('ws', { publicKey });
    const client = await openClient(it, ticket);
    const bystander = await openClient(it);
    await it.admin.revokeToken(token.id);
    assert.equal(await client.failed(), 'ERR_UNAUTHORIZED');
    assert.equal(bystander.closeCode, undefined);
    const { agentToken: renewed } = await it.admin.renewAgentToken('ws');
    assert.equal(await bystander.failed(), 'ERR_AGENT_OFFLINE');
    await waitFor(() => agent.loop.lastError?.code === 'ERR_UNAUTHORIZED');
    await agent.loop.close();
    const again = await testAgent(it.url, renewed, { identity: agent.identity });
    const last = await openClient(it);
    await it.admin.removeWorkspace('ws');
    assert.match(await last.failed(), /^ERR_(WORKSPACE_NOT_FOUND|AGENT_OFFLINE)$/);
    await waitFor(() => again.loop.lastError?.code === 'ERR_UNAUTHORIZED');
    await again.loop.close();
    await it.broker.close();
  });

  test('agent link - comes back by itself after the broker was away', async () => {
    const first = await testBroker();
    const { agentToken } = await first.admin.addWorkspace({ name: 'ws' });
    const agent = await testAgent(first.url, agentToken);
    const client = await openClient(first);
    const { port } = first.broker;
    await first.broker.close();
    await client.closed();
    await waitFor(() => agent.loop.lastError?.code === 'ERR_BROKER_UNREACHABLE');
    const second = await testBroker({ stateDir: first.stateDir, port });
    await second.admin.updateWorkspace('ws', { directory: '/new' });
    await waitFor(() => agent.dialed.length >= 2);
    await agent.loop.close();
    await second.broker.close();
  });

  test('agent link - TURN credentials for both sides, the secret for neither', async () => {
    const secretFile = `${tempDir()}/turn`;
    await writeSecretFile(secretFile, 'canary-turn\n');
    const it = await testBroker({ turn: { urls: ['turn:127.0.0.1:3478'], secretFile } });
    const { agentToken } = await it.admin.addWorkspace({ name: 'ws' });
    const agent = await testAgent(it.url, agentToken);
    const client = await openClient(it);
    client.send({ type: 'offer', sdp: 'x' });
    const offer = await waitFor(() => agent.offers[0]);
    const [mine] = (await client.next('opened')).iceServers;
    const [theirs] = offer.kind === 'webrtc' ? offer.iceServers : [];
    assert.match(mine?.username ?? '', /^\d+:operator$/);
    assert.notEqual(mine?.credential, theirs?.credential);
    assert.ok(!JSON.stringify([mine, theirs, it.records]).includes('canary-turn'));
    client.close();
    await agent.loop.close();
    await it.broker.close();
  });

  test('dialer - aborts at once in every stage, and says what is wrong', async () => {
    const it = await testBroker();
    const { agentToken } = await it.admin.addWorkspace({ name: 'ws' });
    const identity = generateIdentity();
    const options = {
      token: agentToken,
      identity,
      sshHostKey: identity.sshPublicKey,
      agentVersion: '1',
    };
    const dial = (brokerUrl: string, signal: AbortSignal): Promise<unknown> =>
      createBrokerDialer({ ...options, brokerUrl })({ signal, logger: silentLogger });
    await assert.rejects(dial(it.url, AbortSignal.abort()), { code: 'ERR_CLOSED' });
    for (let round = 0; round < 10; round += 1) {
      const abort = new AbortController();
      const dialing = dial(it.url, abort.signal);
      setTimeout(() => {
        abort.abort();
      }, round);
      const dialed = await dialing.catch((error: unknown) => error);
      if (dialed instanceof Error)
        assert.equal((dialed as unknown as { code: string }).code, 'ERR_CLOSED');
      else await (dialed as { listener: { close(): Promise<void> } }).listener.close();
    }
    await it.broker.close();
    await assert.rejects(dial(it.url, new AbortController().signal), {
      code: 'ERR_BROKER_UNREACHABLE',
    });
    assert.throws(() => createBrokerDialer({ ...options, brokerUrl: 'ftp://x' }), {
      code: 'ERR_INVALID_ARGUMENT',
    });
  });
});
