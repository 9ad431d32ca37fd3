import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  SignalProxy,
  UdpRelay,
  type Path,
  type RelayLink,
} from '../../benchmarks/harness/index.js';
import { openAgent } from '../../benchmarks/programs/agent-path.js';
import { SftpBulk } from '../../benchmarks/programs/sftp-bulk.js';
import { startWorkspace } from '../../benchmarks/servers/index.js';
import { checkLeaks, tempDir, waitFor } from '../support/index.js';

checkLeaks();

function startRelay(t: TestContext): UdpRelay {
  const relay = UdpRelay.start(tempDir());
  if (typeof relay === 'string') throw new Error(relay);
  t.after(() => relay.stop());
  return relay;
}

/** One end of a link: a socket, and where it sends to reach the other end. */
interface End {
  readonly socket: Socket;
  readonly port: number;
  readonly received: { readonly text: string; readonly at: number }[];
}

async function openEnds(t: TestContext, { signals }: RelayLink): Promise<{ a: End; b: End }> {
  // The kernel's default takes only some hundred small packets.
  const options = { type: 'udp4', recvBufferSize: 2 ** 21 } as const;
  const sockets = { a: createSocket(options), b: createSocket(options) };
  const ports: Partial<Record<'a' | 'b', number>> = {};
  for (const end of ['a', 'b'] as const) {
    sockets[end].bind(0, '127.0.0.1');
    await once(sockets[end], 'listening');
    t.after(() => sockets[end].close());
    const { port } = sockets[end].address();
    const shown = signals.candidate(
      end,
      `candidate:1 1 udp 2130706431 127.0.0.1 ${String(port)} typ host`,
    );
    const other = end === 'a' ? 'b' : 'a';
    ports[other] = Number(/ 127\.0\.0\.1 (\d+) typ/.exec(shown ?? '')?.[1]);
  }
  const open = (end: 'a' | 'b'): End => {
    const received: { text: string; at: number }[] = [];
    sockets[end].on('message', (bytes) => {
      received.push({ text: bytes.toString('latin1'), at: performance.now() });
    });
    return { socket: sockets[end], port: ports[end] ?? 0, received };
  };
  return { a: open('a'), b: open('b') };
}

async function send(end: End, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    await new Promise((resolve) => {
      end.socket.send(text, end.port, '127.0.0.1', resolve);
    });
  }
}

/** Which of 500 packets arrive. */
async function survivors(t: TestContext, relay: UdpRelay, path: Path): Promise<string[]> {
  const link = await relay.link(path);
  const { a, b } = await openEnds(t, link);
  await send(
    a,
    Array.from({ length: 500 }, (_, index) => String(index)),
  );
  const settled = async (): Promise<boolean> => {
    const { packetsIn, packetsOut, lost, dropped } = (await link.figures()).aToB;
    // Without the second condition it would end while packets are still being delayed by the relay.
    return (
      packetsIn === 500 &&
      packetsOut + lost + dropped === packetsIn &&
      b.received.length === packetsOut
    );
  };
  await waitFor(settled, { what: 'all packets to arrive' });
  return b.received.map(({ text }) => text);
}

test('bench relay - a packet takes the stated time each way, and comes from where the other end is', async (t) => {
  const relay = startRelay(t);
  const { a, b } = await openEnds(t, await relay.link({ delayMs: 40, seed: 1 }));
  const sent = performance.now();
  await send(a, ['there']);
  await waitFor(() => b.received.length === 1);
  assert.ok((b.received[0]?.at ?? 0) - sent >= 40);
  const back = performance.now();
  await send(b, ['back']);
  await waitFor(() => a.received.length === 1);
  assert.ok((a.received[0]?.at ?? 0) - back >= 40);
});

test('bench relay - one seed loses the same packets, about as many as stated, and keeps their order', async (t) => {
  const relay = startRelay(t);
  const first = await survivors(t, relay, { delayMs: 5, loss: 0.1, seed: 7 });
  const again = await survivors(t, relay, { delayMs: 5, loss: 0.1, seed: 7 });
  const other = await survivors(t, relay, { delayMs: 5, loss: 0.1, seed: 8 });
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, other);
  assert.ok(first.length > 420 && first.length < 480, `${String(first.length)} of 500 arrived`);
  assert.deepEqual(
    first,
    [...first].sort((x, y) => Number(x) - Number(y)),
  );
  assert.equal((await survivors(t, relay, { delayMs: 0, seed: 7 })).length, 500);
});

test('bench relay - the narrow place holds as much as stated and drops the rest', async (t) => {
  const relay = startRelay(t);
  const link = await relay.link({
    delayMs: 0,
    bytesPerSecond: 100_000,
    queueBytes: 10_000,
    seed: 1,
  });
  const { a, b } = await openEnds(t, link);
  const start = performance.now();
  await send(
    a,
    Array.from({ length: 50 }, () => 'x'.repeat(1_000)),
  );
  await waitFor(async () => (await link.figures()).aToB.packetsIn === 50);
  const { aToB } = await link.figures();
  await waitFor(() => b.received.length === 50 - aToB.dropped);
  // What waits, and what the narrow place let through while they came.
  const through = ((performance.now() - start) * 100_000) / 1e6;
  assert.ok(b.received.length >= 9 && b.received.length <= 11 + through);
  assert.equal(aToB.largest, 1_000);
});

test('bench relay - strangers are not let through', async (t) => {
  const relay = startRelay(t);
  const link = await relay.link({ delayMs: 0, seed: 1 });
  const { a, b } = await openEnds(t, link);
  const stranger = createSocket('udp4');
  t.after(() => stranger.close());
  await send({ ...a, socket: stranger }, ['let me in']);
  await send(a, ['hello']);
  await waitFor(() => b.received.length > 0);
  await sleep(50);
  assert.deepEqual(
    b.received.map(({ text }) => text),
    ['hello'],
  );
});

test('bench relay - an agent is reached over it and no other way, and packets stay within 1200 bytes', async (t) => {
  const relay = startRelay(t);
  const workspace = await startWorkspace(
    { scratch: tempDir(), agentNodeOptions: [], defer: (stop) => t.after(stop) },
    { terminals: 'workers' },
  );
  const proxy = await SignalProxy.start(workspace.signalUrl, relay, () => ({
    delayMs: 30,
    seed: 1,
  }));
  t.after(() => proxy.stop());
  const agent = await openAgent(workspace.path('werift', proxy.url));
  t.after(() => agent.close());
  assert.equal(agent.connection.engine, 'werift');
  const ping = await agent.ping();
  assert.ok(ping >= 60, `a ping took ${String(ping)} ms over a round trip of 60`);
  const file = path.join(tempDir(), 'file');
  for (const direction of ['write', 'read'] as const) {
    const sftp = agent.connection.openChannel({ label: '', protocol: 'sftp' });
    const bulk = await SftpBulk.open(sftp, file, direction, 2 ** 18);
    bulk.start();
    await waitFor(() => bulk.moved >= 2 ** 18);
    bulk.close();
  }
  // Large ones in both directions: as large as they may be.
  const figures = await proxy.links[0]?.figures();
  for (const { packetsOut, largest } of [figures!.aToB, figures!.bToA]) {
    assert.ok(packetsOut > 100);
    assert.ok(largest > 1_100 && largest <= 1_200, `the largest packet has ${String(largest)}`);
  }
});
