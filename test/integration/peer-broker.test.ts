import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  createBrokerDialer,
  startDialLoop,
  type DialedWorkspace,
} from '../../src/main/agent/dial/index.js';
import { createPeers, type IncomingChannel } from '../../src/main/agent/peers/index.js';
import { startBroker } from '../../src/main/broker/index.js';
import { createBrokerApi } from '../../src/main/client/broker-api/index.js';
import { connectPeer, type ConnectPath } from '../../src/main/client/connection/index.js';
import { once, silentLogger } from '../../src/shared/common/index.js';
import type { TicketResponse } from '../../src/shared/common/wire/index.js';
import { publicKeyText, type WebRtcChoice } from '../../src/shared/node/peer/index.js';
import { checkLeaks, tempDir, waitFor } from '../support/index.js';
import { Collector, firstWrongByte, sendPattern } from '../support/peer/channels.js';
import { echo } from '../support/peer/echo.js';
import { controlRequests } from '../support/peer/requests.js';
import { startNative } from '../support/peer/start-native.js';

await startNative();
checkLeaks();

const MIB = 1024 * 1024;

/** A broker, and an agent of one workspace that echoes whatever comes on a channel; ended with the test. */
async function startWorld(t: TestContext, webrtc: WebRtcChoice = 'werift') {
  const broker = await startBroker({ stateDir: tempDir(), port: 0 });
  const admin = createBrokerApi({
    brokerUrl: broker.url,
    token: readFileSync(broker.adminTokenFile, 'utf8').trim(),
  });
  const { agentToken } = await admin.addWorkspace({ name: 'w' });
  const identity = generateKeyPairSync('ed25519').privateKey;
  const channels: IncomingChannel[] = [];
  let dialed: DialedWorkspace | undefined;
  const peers = createPeers({
    logger: silentLogger,
    identity,
    agentVersion: 'test',
    issuerKeys: () => dialed?.issuerKeys ?? [],
    workspaceId: () => dialed?.workspaceId,
    workspace: () => dialed?.workspace ?? '',
    onChannel: (channel) => {
      channels.push(channel);
      echo(channel);
    },
    requests: controlRequests(),
    webrtc: { choice: webrtc, hostPath: join(tempDir(), 'native.sock') },
  });
  await peers.start();
  const loop = startDialLoop({
    dialer: createBrokerDialer({
      brokerUrl: broker.url,
      token: agentToken,
      identity: { publicKey: publicKeyText(identity) },
      sshHostKey: 'ssh-ed25519 AAAA',
      agentVersion: 'test',
    }),
    logger: silentLogger,
    onDialed: (workspace) => {
      dialed = workspace;
    },
    onOffer: (offer) => {
      peers.acceptOffer(offer);
    },
  });
  await waitFor(() => loop.state === 'connected');
  const options = {
    url: `${broker.url.replace('http', 'ws')}/api/v1/connect`,
    getTicket: (publicKey: string): Promise<TicketResponse> => admin.getTicket('w', { publicKey }),
  };
  const close = once(async () => {
    await loop.close();
    await peers.close();
    await broker.close();
  });
  t.after(close);
  return { peers, channels, options, close };
}

for (const path of ['auto', 'direct', 'relay'] satisfies ConnectPath[]) {
  test(`broker peer - connects by path ${path}, is authenticated, and carries channels`, async (t) => {
    const world = await startWorld(t);
    // The relay is for where a direct path fails, not for where the machine is busy.
    const connection = await connectPeer({ ...world.options, path, relayAfterMs: 60_000 });
    assert.equal(connection.connection.engine, path === 'relay' ? 'framed' : 'werift');
    assert.equal(connection.workspace, 'w');
    assert.deepEqual(connection.scopes, ['owner']);
    assert.ok((await connection.ping()) >= 0);
    const channel = connection.openChannel({ label: 'a', protocol: 'ssh' });
    const side = new Collector(channel);
    await sendPattern(channel, side, MIB);
    await side.until(() => side.bytes === MIB);
    assert.equal(firstWrongByte(side.messages), undefined);
    channel.close();
    assert.equal((await side.ended()).type, 'closed');
    await connection.close();
    await waitFor(() => world.peers.counts.peers === 0);
    await world.close();
  });
}

for (const [client, agent] of [
  ['native', 'werift'],
  ['auto', 'native'],
  ['werift', 'native'],
  ['native', 'auto'],
] as const) {
  test(`broker peer - a client with --webrtc ${client} connects directly to an agent with ${agent}`, async (t) => {
    const world = await startWorld(t, agent);
    const connection = await connectPeer({ ...world.options, path: 'direct', webrtc: client });
    assert.equal(connection.connection.engine, client === 'auto' ? 'native' : client);
    assert.ok((await connection.ping()) >= 0);
    const channel = connection.openChannel({ label: 'a', protocol: 'ssh' });
    const side = new Collector(channel);
    await sendPattern(channel, side, 8 * MIB);
    await side.until(() => side.bytes === 8 * MIB);
    assert.equal(firstWrongByte(side.messages), undefined);
    assert.equal(world.channels[0]?.peer.engine, agent === 'auto' ? 'native' : agent);
    channel.close();
    assert.equal((await side.ended()).type, 'closed');
    await connection.close();
    await waitFor(() => world.peers.counts.peers === 0);
    await world.close();
  });
}

test('broker peer - an agent with another key than the pinned one is refused', async (t) => {
  const world = await startWorld(t);
  const other = publicKeyText(generateKeyPairSync('ed25519').privateKey);
  for (const path of ['direct', 'relay'] as const)
    await assert.rejects(connectPeer({ ...world.options, path, agentKey: other }), {
      code: 'ERR_PEER_AUTH',
    });
  await waitFor(() => world.peers.counts.peers === 0);
  await world.close();
});

test('broker peer - a ticket that was used before is refused with its code', async (t) => {
  const world = await startWorld(t);
  let kept: TicketResponse | undefined;
  const getTicket = async (publicKey: string): Promise<TicketResponse> =>
    (kept ??= await world.options.getTicket(publicKey));
  const first = await connectPeer({ ...world.options, getTicket, path: 'relay' });
  await assert.rejects(connectPeer({ ...world.options, getTicket, path: 'relay' }), {
    code: 'ERR_TICKET',
  });
  await first.close();
  await world.close();
});

test('broker peer - giving up while connecting leaves nothing behind', async (t) => {
  const world = await startWorld(t);
  await assert.rejects(connectPeer({ ...world.options, signal: AbortSignal.abort() }), {
    code: 'ERR_CLOSED',
  });
  await world.close();
});

for (const webrtc of ['werift', 'native'] as const) {
  test(`broker peer - the agent with ${webrtc} that closes says goodbye to a direct peer`, async (t) => {
    const world = await startWorld(t, webrtc);
    const connection = await connectPeer({ ...world.options, path: 'direct' });
    const side = new Collector(connection.openChannel({ label: 'a', protocol: 'ssh' }));
    await world.close();
    assert.equal((await side.ended()).type, 'closed');
    assert.equal((await connection.closed).error, undefined);
    await connection.close();
  });
}
