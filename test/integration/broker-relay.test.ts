import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { WebSocketServer, type WebSocket } from 'ws';
import type { AddressInfo } from 'node:net';
import { pipe, type PipeTotals } from '../../src/main/broker/relay/pipe.js';
import { deferred, limits } from '../../src/shared/common/index.js';
import { generateIdentity } from '../../src/shared/node/state/index.js';
import {
  testAgent,
  testBroker,
  type TestAgent,
  type TestBroker,
} from '../support/broker/broker.js';
import { RawSocket } from '../support/broker/raw-socket.js';
import { checkLeaks, seededRandom, waitFor } from '../support/index.js';

checkLeaks();

const CONNECT = '/api/v1/connect';
const { publicKey } = generateIdentity();
/** More than the kernel holds in the four socket buffers between two ends of a relay. */
const KERNEL_BYTES = 128 * limits.MIB;

interface Pair {
  readonly signalling: RawSocket;
  readonly client: RawSocket;
  readonly agent: RawSocket;
  readonly path: string;
}

describe('relay', () => {
  let it: TestBroker;
  let agent: TestAgent;
  let agentToken: string;
  before(async () => {
    it = await testBroker();
    ({ agentToken } = await it.admin.addWorkspace({ name: 'ws' }));
    agent = await testAgent(it.url, agentToken);
  });
  after(async () => {
    await agent.loop.close();
    await it.broker.close();
  });

  async function ticket(): Promise<string> {
    return (await it.admin.getTicket('ws', { publicKey })).ticket;
  }

  /** Asks for a relay and opens both sides of it. */
  async function openPair(): Promise<Pair> {
    const signalling = await new RawSocket(it.url + CONNECT).opened();
    const first = await ticket();
    const before = agent.offers.length;
    signalling.send({ type: 'open', version: 1, ticket: first });
    signalling.send({ type: 'relay', ticket: first });
    const { path } = await signalling.next('relay');
    const offer = await waitFor(() => agent.offers[before]);
    if (offer.kind !== 'relay') throw new Error('no relay');
    assert.equal(offer.url, it.url.replace('http', 'ws') + path);
    assert.equal(offer.ticket, first);
    const client = await new RawSocket(it.url + path).opened();
    const agentSide = await new RawSocket(offer.url, { headers: { ...offer.headers } }).opened();
    return { signalling, client, agent: agentSide, path };
  }

  function close({ signalling, client, agent: agentSide }: Pair): void {
    signalling.close();
    client.close();
    agentSide.close();
  }

  test('relay - passes messages of both kinds both ways, those sent early too', async () => {
    const signalling = await new RawSocket(it.url + CONNECT).opened();
    const before = agent.offers.length;
    signalling.send({ type: 'open', version: 1, ticket: await ticket() });
    signalling.send({ type: 'offer', sdp: 'direct first' });
    await waitFor(() => agent.offers.length === before + 1);
    signalling.send({ type: 'relay', ticket: await ticket() });
    const { path } = await signalling.next('relay');
    const offer = await waitFor(() => agent.offers[before + 1]);
    // The direct attempt fails now, which must not end the session under the relay.
    agent.offers[before]?.exchange.end({ code: 'ERR_PEER_TIMEOUT', message: 'x' });
    const client = await new RawSocket(it.url + path).opened();
    client.ws.send(Buffer.from('early'), { binary: true });
    client.ws.send('text');
    if (offer.kind !== 'relay') throw new Error('no relay');
    const agentSide = await new RawSocket(offer.url, { headers: { ...offer.headers } }).opened();
    await waitFor(() => agentSide.messages.length === 2);
    agentSide.ws.send(Buffer.alloc(limits.CHANNEL_MESSAGE_BYTES + 64));
    await waitFor(() => client.messages.length === 1);
    assert.equal(client.messages[0]?.length, limits.CHANNEL_MESSAGE_BYTES + 64);
    assert.deepEqual(agentSide.messages.map(String), ['early', 'text']);
    assert.equal(signalling.closeCode, undefined);
    // The relay outlives the signalling.
    signalling.close();
    client.ws.send('after');
    await waitFor(() => agentSide.messages.length === 3);
    client.close();
    await agentSide.closed();
  });

  test('relay - what a reader that stops for a while is sent arrives whole, and its sender is stopped', async () => {
    const pair = await openPair();
    const random = seededRandom();
    const sent = createHash('sha256');
    const received = createHash('sha256');
    let total = 0;
    let bytes = 0;
    pair.client.messages.push = (...all: Buffer[]) => {
      for (const data of all) {
        received.update(data);
        bytes += data.length;
      }
      return 0;
    };
    pair.client.ws.pause();
    const send = (amount: number): void => {
      for (let left = amount; left > 0;) {
        const data = Buffer.from(random.bytes(Math.min(left, random.int(1, 60_000))));
        sent.update(data);
        left -= data.length;
        total += data.length;
        pair.agent.ws.send(data);
      }
    };
    send(10 * limits.MIB);
    await waitFor(
      async () => {
        const before = pair.agent.ws.bufferedAmount;
        await new Promise((resolve) => setTimeout(resolve, 300));
        const waiting = pair.agent.ws.bufferedAmount;
        if (waiting === 0 && total < KERNEL_BYTES) send(10 * limits.MIB);
        return before > 0 && before === waiting;
      },
      { what: 'the sender to be stopped', timeoutMs: 60_000 },
    );
    pair.client.ws.resume();
    await waitFor(() => bytes === total, { timeoutMs: 60_000 });
    assert.equal(received.digest('hex'), sent.digest('hex'));
    close(pair);
  });

  test('relay - both sides end together, and what was sent before a proper close arrives', async () => {
    for (const closing of ['client', 'agent'] as const) {
      const pair = await openPair();
      const other = closing === 'client' ? pair.agent : pair.client;
      for (let i = 0; i < 50; i += 1) pair[closing].ws.send(Buffer.alloc(20_000, i));
      pair[closing].ws.close(1000);
      assert.equal(await other.closed(), 1000);
      assert.equal(other.messages.length, 50);
      pair.signalling.close();
    }
    const pair = await openPair();
    pair.agent.close();
    assert.equal(await pair.client.closed(), 1011);
    pair.signalling.close();
  });

  test('relay - the address serves one client and the right agent, once', async () => {
    const { agentToken: foreign } = await it.admin.addWorkspace({ name: 'foreign' });
    const pair = await openPair();
    const bearer = (token: string): { headers: Record<string, string> } => ({
      headers: { authorization: `Bearer ${token}` },
    });
    const refused = /^ERR_(NOT_FOUND|UNAUTHORIZED|RATE_LIMITED)$/;
    assert.match(await new RawSocket(it.url + pair.path).refused(), refused);
    assert.match(await new RawSocket(it.url + pair.path, bearer(agentToken)).refused(), refused);
    close(pair);
    const signalling = await new RawSocket(it.url + CONNECT).opened();
    const first = await ticket();
    signalling.send({ type: 'open', version: 1, ticket: first });
    signalling.send({ type: 'relay', ticket: first });
    const { path } = await signalling.next('relay');
    assert.match(await new RawSocket(it.url + path, bearer(foreign)).refused(), refused);
    assert.match(await new RawSocket(it.url + path, bearer(it.adminToken)).refused(), refused);
    for (const id of ['', 'x', 'A'.repeat(43), `${path.slice(14)}x`])
      assert.match(await new RawSocket(`${it.url}/api/v1/relay/${id}`).refused(), refused);
    const client = await new RawSocket(it.url + path).opened();
    client.close();
    signalling.close();
  });

  test('relay - a second ticket must be fresh and for the same place', async () => {
    await it.admin.addWorkspace({ name: 'elsewhere' });
    const { ticket: foreign } = await it.admin.getTicket('elsewhere', { publicKey });
    const open = await ticket();
    for (const second of [open, foreign, 'x']) {
      const signalling = await new RawSocket(it.url + CONNECT).opened();
      signalling.send({
        type: 'open',
        version: 1,
        ticket: second === open ? open : await ticket(),
      });
      signalling.send({ type: 'offer', sdp: 'x' });
      signalling.send({ type: 'relay', ticket: second });
      assert.match(await signalling.failed(), /^ERR_(TICKET|RATE_LIMITED)$/);
    }
  });

  test('relay - a message beyond the limit ends it', async () => {
    const pair = await openPair();
    pair.client.ws.send(Buffer.alloc(limits.RELAY_MESSAGE_BYTES + 1));
    assert.equal(await pair.client.closed(), 1009);
    await pair.agent.closed();
    pair.signalling.close();
  });

  test('relay - ends when the token behind it is revoked', async () => {
    const { secret, token } = await it.admin.createToken({ name: 'ann', workspaces: ['ws'] });
    const { ticket: first } = await it.api(secret).getTicket('ws', { publicKey });
    const signalling = await new RawSocket(it.url + CONNECT).opened();
    const before = agent.offers.length;
    signalling.send({ type: 'open', version: 1, ticket: first });
    signalling.send({ type: 'relay', ticket: first });
    const { path } = await signalling.next('relay');
    const offer = await waitFor(() => agent.offers[before]);
    if (offer.kind !== 'relay') throw new Error('no relay');
    const client = await new RawSocket(it.url + path).opened();
    const agentSide = await new RawSocket(offer.url, { headers: { ...offer.headers } }).opened();
    await it.admin.revokeToken(token.id);
    await Promise.all([client.closed(), agentSide.closed(), signalling.closed()]);
  });

  test('relay - the number of relays of one workspace is limited', async () => {
    const ask = async (): Promise<RawSocket> => {
      const first = await ticket();
      const signalling = await new RawSocket(it.url + CONNECT).opened();
      signalling.send({ type: 'open', version: 1, ticket: first });
      signalling.send({ type: 'relay', ticket: first });
      await waitFor(() => signalling.messages.length > 1, { intervalMs: 50 });
      return signalling;
    };
    const half = Array.from({ length: limits.RELAYS_PER_WORKSPACE / 2 }, ask);
    const sockets = await Promise.all(half);
    sockets.push(...(await Promise.all(Array.from({ length: half.length + 1 }, ask))));
    const last = sockets.map(({ messages }) => String(messages[1]));
    assert.ok(last.some((message) => message.includes('ERR_PEER_LIMIT')));
    for (const socket of sockets) socket.close();
  });
});

describe('pipe', () => {
  test('pipe - holds no more than its bound and one read, whatever is sent', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    await once(server, 'listening');
    const arrived: WebSocket[] = [];
    server.on('connection', (socket) => {
      socket.pause();
      arrived.push(socket);
    });
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const sender = await new RawSocket(url).opened();
    await waitFor(() => arrived.length === 1);
    const reader = await new RawSocket(url).opened();
    await waitFor(() => arrived.length === 2);
    const [a, b] = arrived as [WebSocket, WebSocket];
    const ended = deferred<PipeTotals>();
    pipe(a, b, ended.resolve);
    reader.ws.pause();
    const message = Buffer.alloc(16_384);
    const count = 1_000;
    for (let i = 0; i < count; i += 1) sender.ws.send(message);
    await new Promise((resolve) => setTimeout(resolve, 500));
    reader.ws.resume();
    await waitFor(() => reader.messages.length === count, { timeoutMs: 60_000 });
    sender.ws.close(1000);
    assert.equal(await reader.closed(), 1000);
    const { bytes, mostQueued } = await ended.promise;
    assert.equal(bytes, count * message.length);
    // One read of a socket is 64 KiB; the message that crosses the bound is in it.
    const bound = limits.RELAY_QUEUE_BYTES + 128 * limits.KIB;
    assert.ok(mostQueued <= bound, String(mostQueued));
    server.close();
  });
});
