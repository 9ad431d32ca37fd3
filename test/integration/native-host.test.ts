import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { connect } from 'node:net';
import { NativeHost } from '../../src/main/agent/peers/native-host.js';
import { deferred, limits, silentLogger, systemClock } from '../../src/shared/common/index.js';
import {
  createNativeOffer,
  type PeerConnection,
  type PeerEnd,
  type PeerOffer,
  type PeerSource,
} from '../../src/shared/node/peer/index.js';
import { dialNativeHost } from '../../src/workers/peer/dial-native-host.js';
import { checkLeaks, tempDir, waitFor } from '../support/index.js';
import { Collector, nextChannel, startNative } from '../support/peer/index.js';

await startNative();
checkLeaks();

test('native host - killed, it loses its own peers only, and the next offer starts another', async (t) => {
  const host = await startHost(t);
  const first = await connectTo(host);
  const pid = await host.pid;
  const incoming = nextChannel(first.agent);
  first.client.openChannel({ label: 'a', protocol: 'ssh' }).send(new Uint8Array(1));
  const side = new Collector(await incoming);
  process.kill(pid ?? 0, 'SIGKILL');
  assert.equal((await side.ended()).type, 'lost');
  assert.equal((await first.ended).error?.code, 'ERR_WORKER_LOST');
  assert.equal((await first.agent.closed).error?.code, 'ERR_PEER_LOST');
  const second = await connectTo(host);
  assert.notEqual(await host.pid, pid);
  await Promise.all([second.client.close(), second.agent.close()]);
  assert.equal((await second.ended).error, undefined);
  await first.client.close();
});

test('native host - one that dies again and again is not started any more', async (t) => {
  const host = await startHost(t);
  for (let death = 0; death <= limits.WORKER_DEATHS; death += 1) {
    await host.start();
    process.kill((await host.pid) ?? 0, 'SIGKILL');
    await waitFor(() => host.pid === undefined);
  }
  assert.equal(host.degraded, true);
  assert.throws(() => host.accept({ sdp: '', iceServers: [] }, silent()), { code: 'ERR_DEGRADED' });
});

test('native host - one whose loop does not turn is ended', async (t) => {
  const host = await startHost(t, { beatMs: 200 });
  const pid = await host.pid;
  process.kill(pid ?? 0, 'SIGSTOP');
  await waitFor(() => host.pid === undefined);
  await host.start();
  assert.notEqual(await host.pid, pid);
});

test('native host - an offer that is none is refused, and others go on', async (t) => {
  const host = await startHost(t);
  for (const sdp of ['', 'v=0\r\n', 'x'.repeat(60_000)]) {
    const ended = deferred<PeerEnd>();
    host.accept({ sdp, iceServers: [] }, { ...silent(), ended: ended.resolve });
    assert.equal((await ended.promise).error?.code, 'ERR_PROTOCOL');
  }
  const { client, agent } = await connectTo(host);
  await Promise.all([client.close(), agent.close()]);
});

test('native host - whoever does not know the token of a connection gets nothing', async (t) => {
  const dir = tempDir();
  const host = await startHost(t, { path: join(dir, 's') });
  const { client, agent, token } = await connectTo(host);
  for (const said of ['0'.repeat(64), 'x'.repeat(200), token]) {
    const socket = connect(join(dir, 's'));
    socket.on('error', () => undefined);
    socket.write(said);
    const bytes: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => bytes.push(chunk));
    await new Promise((resolve) => socket.once('close', resolve));
    assert.equal(Buffer.concat(bytes).length, 0);
  }
  // The one who came with the token before is still served.
  const incoming = nextChannel(agent);
  client.openChannel({ label: 'a', protocol: 'ssh' }).send(new Uint8Array(1));
  const side = new Collector(await incoming);
  await side.until(() => side.bytes === 1);
  await Promise.all([client.close(), agent.close()]);
});

test('native host - has nothing of the environment and no descriptor of the agent', async (t) => {
  const marker = join(tempDir(), 'marker');
  const fd = openSync(marker, 'w');
  t.after(() => {
    closeSync(fd);
  });
  const host = await startHost(t);
  const pid = String(await host.pid);
  const names = readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .map((line) => line.split('=')[0])
    .filter((name) => name !== '' && name?.startsWith('NODE_CHANNEL') !== true);
  assert.deepEqual(names, []);
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  assert.ok(targets.length > 3);
  assert.ok(!targets.includes(marker));
});

/** A host that ends with the test. */
async function startHost(
  t: TestContext,
  { beatMs = limits.WORKER_BEAT_MS, path = join(tempDir(), 's') } = {},
): Promise<NativeHost> {
  const host = new NativeHost({
    path,
    clock: systemClock,
    logger: silentLogger,
    beatMs,
    heartbeatMs: undefined,
  });
  t.after(() => host.close());
  await host.start();
  return host;
}

interface Connected {
  readonly client: PeerConnection;
  /** What a peer worker has of it. */
  readonly agent: PeerConnection;
  readonly token: string;
  readonly ended: Promise<PeerEnd>;
}

async function connectTo(host: NativeHost): Promise<Connected> {
  const toHost: Parameters<PeerOffer['addCandidate']>[0][] = [];
  const offer = await createNativeOffer({
    iceServers: [],
    onCandidate: (candidate) => toHost.push(candidate),
  });
  const source = deferred<PeerSource>();
  const ended = deferred<PeerEnd>();
  const hosted = host.accept(
    { sdp: offer.sdp, iceServers: [] },
    {
      answer: (sdp) => {
        void offer.setAnswer(sdp);
      },
      candidate: (candidate) => {
        offer.addCandidate(candidate);
      },
      connected: source.resolve,
      ended: ended.resolve,
    },
  );
  while (toHost.length === 0) await sleep(5);
  for (const candidate of toHost) hosted.addCandidate(candidate);
  const client = await offer.connection;
  const taken = await source.promise;
  assert.equal(taken.kind, 'native');
  const { connection } = dialNativeHost(taken, undefined);
  return { client, agent: await connection, token: taken.token, ended: ended.promise };
}

function silent() {
  return {
    answer: () => undefined,
    candidate: () => undefined,
    connected: () => undefined,
    ended: () => undefined,
  };
}
