import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPeers, type IncomingChannel } from '../../src/main/agent/peers/index.js';
import { connectLocal } from '../../src/main/client/connection/index.js';
import { HoldfastError, silentLogger } from '../../src/shared/common/index.js';
import { decodeAgentFrame } from '../../src/shared/common/wire/index.js';
import type { FaultKind } from '../../src/shared/node/ports/index.js';
import { checkLeaks, tempDir, waitFor } from '../support/index.js';
import { Collector, firstWrongByte, sendPattern } from '../support/peer/channels.js';
import { echo } from '../support/peer/echo.js';
import { controlRequests } from '../support/peer/requests.js';

checkLeaks();

const MIB = 1024 * 1024;

/** An agent's peers with an echo behind every channel but those of protocol `terminal`. */
async function startAgent({ faults = false } = {}) {
  const channels: IncomingChannel[] = [];
  const killed: string[] = [];
  const peers = createPeers({
    logger: silentLogger,
    identity: generateKeyPairSync('ed25519').privateKey,
    agentVersion: 'test',
    issuerKeys: () => [],
    workspaceId: () => undefined,
    workspace: () => 'here',
    // On a busy machine importing werift alone holds a loop up for longer than half a second.
    workers: { faults, beatMs: 1_000, maxHeapMb: 64 },
    onChannel: (channel) => {
      channels.push(channel);
      if (channel.protocol !== 'terminal') echo(channel);
    },
    requests: controlRequests({
      kill: (id) => {
        if (id !== 'known') throw new HoldfastError('ERR_TERMINAL_NOT_FOUND', 'no such terminal');
        killed.push(id);
        return Promise.resolve();
      },
    }),
  });
  await peers.start();
  const path = join(tempDir(), 'agent.sock');
  await peers.listenLocal(path);
  return { peers, path, channels, killed };
}

test('local peer - is authenticated, asks, and its channels reach main as ports', async () => {
  const agent = await startAgent();
  const connection = await connectLocal({ path: agent.path });
  assert.equal(connection.subject, 'local');
  assert.deepEqual(connection.scopes, ['owner']);
  assert.ok((await connection.ping()) >= 0);
  assert.deepEqual(await connection.terminals(), []);
  await connection.kill('known');
  assert.deepEqual(agent.killed, ['known']);
  await assert.rejects(connection.kill('other'), { code: 'ERR_TERMINAL_NOT_FOUND' });

  const channel = connection.openChannel({ label: 'x', protocol: 'ssh' });
  const side = new Collector(channel);
  await sendPattern(channel, side, 4 * MIB);
  await side.until(() => side.bytes === 4 * MIB);
  assert.equal(firstWrongByte(side.messages), undefined);
  const [incoming] = agent.channels;
  assert.equal(incoming?.label, 'x');
  assert.equal(incoming.peer.subject, 'local');
  assert.equal(incoming.peer.engine, 'framed');
  assert.equal(agent.peers.counts.peers, 1);

  await connection.close();
  await waitFor(() => agent.peers.counts.peers === 0);
  await agent.peers.close();
});

test('local peer - nobody there is ERR_AGENT_OFFLINE', async () => {
  await assert.rejects(connectLocal({ path: join(tempDir(), 'none') }), {
    code: 'ERR_AGENT_OFFLINE',
  });
});

test('local peer - the end of the agent is a clean end at the client', async () => {
  const agent = await startAgent();
  const connection = await connectLocal({ path: agent.path });
  const channel = connection.openChannel({ label: 'x', protocol: 'ssh' });
  const side = new Collector(channel);
  await agent.peers.close();
  assert.equal((await side.ended()).type, 'closed');
  assert.equal((await connection.closed).error, undefined);
  await connection.close();
});

test('local peer - a channel whose server died says ERR_WORKER_LOST', async () => {
  const agent = await startAgent();
  const connection = await connectLocal({ path: agent.path });
  const channel = connection.openChannel({ label: 'x:24:80', protocol: 'terminal' });
  const side = new Collector(channel);
  await waitFor(() => agent.channels.length === 1);
  agent.channels[0]?.handle.port.close();
  const end = await side.ended();
  assert.equal(end.type === 'closed' && end.error?.code, 'ERR_WORKER_LOST');
  const frame = decodeAgentFrame(side.messages[0] ?? new Uint8Array());
  assert.equal(frame.type === 'error' && frame.code, 'ERR_WORKER_LOST');
  await connection.close();
  await agent.peers.close();
});

for (const kind of ['throw', 'exit', 'heap', 'loop'] satisfies FaultKind[]) {
  test(`local peer - a worker that dies by ${kind} ends its peers only, and is replaced`, async () => {
    const agent = await startAgent({ faults: true });
    // Two workers and the least busy one is taken, so these two are apart.
    const other = await connectLocal({ path: agent.path });
    const victim = await connectLocal({ path: agent.path });
    agent.peers.injectFault(kind);
    assert.equal((await victim.closed).error?.code, 'ERR_PEER_LOST');
    assert.ok((await other.ping()) >= 0);
    const again = await connectLocal({ path: agent.path });
    assert.ok((await again.ping()) >= 0);
    await Promise.all([other.close(), victim.close(), again.close()]);
    await agent.peers.close();
  });
}
