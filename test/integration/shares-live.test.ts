import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { startAgent } from '../../src/main/agent/index.js';
import {
  connectPeer,
  type AgentConnection,
  type ConnectPath,
} from '../../src/main/client/connection/index.js';
import { deferred, limits, silentLogger, type ByteChannel } from '../../src/shared/common/index.js';
import {
  decodeAgentFrame,
  encodeClientFrame,
  TERMINAL_PROTOCOL_VERSION,
  type AgentFrame,
  type ShareCreated,
  type ShareInput,
} from '../../src/shared/common/wire/index.js';
import { checkLeaks, tempDir, waitFor } from '../support/index.js';
import { testBroker } from '../support/broker/broker.js';

checkLeaks({ patienceMs: 45_000 });

/** A broker and a real agent of workspace `w`; the broker may be away for a while. */
async function startWorld(t: TestContext) {
  const stateDir = tempDir();
  let it = await testBroker({ stateDir });
  const { agentToken } = await it.admin.addWorkspace({ name: 'w' });
  const { port } = it.broker;
  const agent = await startAgent({
    stateDir: tempDir(),
    logger: silentLogger,
    shell: '/bin/sh',
    broker: { url: it.url, token: agentToken },
  });
  t.after(async () => {
    await agent.close();
    await it.broker.close();
  });
  await waitFor(() => agent.dialState === 'connected', { what: 'the agent' });
  const open = (
    secret: string,
    { path = 'relay', privateKey }: { path?: ConnectPath; privateKey?: KeyObject } = {},
  ): Promise<AgentConnection> =>
    connectPeer({
      url: `${it.url.replace('http', 'ws')}/api/v1/connect`,
      path,
      privateKey,
      getTicket: (publicKey) => it.api(secret).getTicket('w', { publicKey }),
    });
  return {
    broker: () => it,
    open,
    share: (input: Partial<ShareInput> = {}): Promise<ShareCreated> =>
      it.admin.createShare({ workspace: 'w', terminal: 'main', mode: 'type', ...input }),
    /** Stops the broker, does `work` to its store with the agent away, and lets it come back. */
    withAgentAway: async (work: () => Promise<void>): Promise<void> => {
      await it.broker.close();
      // On another port first: the agent cannot find it there.
      it = await testBroker({ stateDir });
      await work();
      await it.broker.close();
      it = await testBroker({ stateDir, port });
      await waitFor(() => agent.dialState === 'connected', {
        what: 'the agent',
        timeoutMs: 60_000,
      });
    },
  };
}

/** A viewer in its rawest form: the frames it was sent, and how its channel ended. */
class RawViewer {
  readonly frames: AgentFrame[] = [];
  readonly ended = deferred<string | undefined>();
  readonly #channel: ByteChannel;

  constructor(connection: AgentConnection, { id = 'main', reads = true } = {}) {
    this.#channel = connection.openChannel({ label: `${id}:24:80`, protocol: 'terminal' });
    this.#channel.start({
      message: (bytes) => {
        this.frames.push(decodeAgentFrame(bytes));
        if (reads) this.#channel.consumed(bytes.length);
      },
      credit: () => undefined,
      end: (end) => {
        this.ended.resolve(end.type === 'closed' ? end.error?.code : 'lost');
      },
    });
    this.#channel.send(
      encodeClientFrame({
        type: 'attach',
        version: TERMINAL_PROTOCOL_VERSION,
        wantsType: true,
        epoch: undefined,
        offset: undefined,
        size: { rows: 24, cols: 80 },
        window: reads ? 1 << 30 : 1 << 20,
        clientId: crypto.getRandomValues(new Uint8Array(16)),
        settings: {},
      }),
    );
  }

  type(text: string, seq = 0): void {
    this.#channel.send(
      encodeClientFrame({ type: 'input', seq, bytes: new TextEncoder().encode(text) }),
    );
  }

  get text(): string {
    return this.frames
      .map((frame) => (frame.type === 'output' ? Buffer.from(frame.bytes).toString() : ''))
      .join('');
  }

  /** Code of the last frame, if that was an error. */
  get refusal(): string | undefined {
    const last = this.frames.at(-1);
    return last?.type === 'error' ? last.code : undefined;
  }

  async sees(text: string): Promise<void> {
    await waitFor(() => this.text.includes(text), { what: text, timeoutMs: 20_000 });
  }
}

test('shares - a link opens terminals of its scope and nothing else', async (t) => {
  const world = await startWorld(t);
  const { secret } = await world.share();
  const guest = await world.open(secret);
  const viewer = new RawViewer(guest);
  viewer.type('echo a$((1))b\n');
  await viewer.sees('a1b');
  assert.equal(guest.subject, 'guest (link)');
  assert.deepEqual(guest.scopes, ['terminal:main:type']);
  assert.deepEqual(
    (await guest.terminals()).map(({ id }) => id),
    ['main'],
  );
  const foreign = new RawViewer(guest, { id: 'other' });
  await foreign.ended.promise;
  assert.equal(foreign.refusal, 'ERR_FORBIDDEN');
  await assert.rejects(guest.kill('main'), { code: 'ERR_FORBIDDEN' });
  for (const protocol of ['ssh', 'sftp', 'fault', 'nonsense']) {
    const channel = guest.openChannel({ label: 'main:24:80', protocol });
    const ended = deferred<unknown>();
    const got: Uint8Array[] = [];
    channel.start({
      message: (bytes) => got.push(bytes),
      credit: () => undefined,
      end: ended.resolve,
    });
    await ended.promise;
    assert.deepEqual(got, [], protocol);
  }
  await guest.close();
});

test('shares - a view link cannot type, resize or start, whatever frames it sends', async (t) => {
  const world = await startWorld(t);
  const typist = new RawViewer(await world.open((await world.share()).secret));
  typist.type('stty size\n');
  await typist.sees('24 80');
  const { secret } = await world.share({ mode: 'view', terminal: '*' });
  const guest = await world.open(secret);
  const typing = new RawViewer(guest);
  await typing.sees('24 80');
  typing.type('echo in$((1))truder\n');
  await typing.ended.promise;
  assert.equal(typing.refusal, 'ERR_READ_ONLY');
  const starting = new RawViewer(guest, { id: 'fresh' });
  await starting.ended.promise;
  assert.equal(starting.refusal, 'ERR_TERMINAL_NOT_FOUND');
  typist.type('echo e$((2))nd\n', 10);
  await typist.sees('e2nd');
  assert.ok(!typist.text.includes('truder'));
  await guest.close();
});

for (const path of ['direct', 'relay'] as const) {
  test(`shares - revoking a link ends its live viewers by path ${path}, those that do not read as well`, async (t) => {
    const world = await startWorld(t);
    const { secret, share } = await world.share({ terminal: '*' });
    const kept = await world.open((await world.share({ terminal: '*' })).secret);
    const other = new RawViewer(kept);
    const guest = await world.open(secret, { path });
    const viewer = new RawViewer(guest);
    const stuck = await world.open(secret, { path });
    const deaf = new RawViewer(stuck, { id: 'flood', reads: false });
    deaf.type('while :; do echo y; done\n');
    viewer.type('echo a$((1))b\n');
    await viewer.sees('a1b');
    await other.sees('a1b');
    await world.broker().admin.revokeShare(share.id);
    await viewer.ended.promise;
    assert.equal(viewer.refusal, 'ERR_SHARE_REVOKED');
    assert.equal((await guest.closed).error?.code ?? 'ERR_SHARE_REVOKED', 'ERR_SHARE_REVOKED');
    await stuck.closed;
    // Nobody watches the flood any more.
    await waitFor(
      async () => (await kept.terminals()).find(({ id }) => id === 'flood')?.viewers === 0,
      { what: 'the deaf viewer to be out', timeoutMs: 20_000 },
    );
    await assert.rejects(world.open(secret, { path }), { code: 'ERR_SHARE_REVOKED' });
    other.type('echo c$((2))d\n');
    await other.sees('c2d');
    await Promise.all([guest.close(), stuck.close(), kept.close()]);
  });
}

test('shares - a link that expires ends its live viewers, and a token that is revoked those of its links', async (t) => {
  const world = await startWorld(t);
  const { admin, api } = world.broker();
  const owner = await admin.createToken({ name: 'owner', workspaces: ['w'] });
  const made = await api(owner.secret).createShare({
    workspace: 'w',
    terminal: 'main',
    mode: 'type',
  });
  const guest = await world.open(made.secret);
  const viewer = new RawViewer(guest);
  await waitFor(() => viewer.frames.length > 0, { what: 'the attach' });
  const short = await world.open((await world.share({ expiresIn: 2 })).secret);
  const watching = new RawViewer(short);
  await watching.ended.promise;
  assert.equal(watching.refusal, 'ERR_SHARE_EXPIRED');
  assert.equal(viewer.refusal, undefined);
  await admin.revokeToken(owner.token.id);
  await viewer.ended.promise;
  assert.equal(viewer.refusal, 'ERR_SHARE_REVOKED');
  await Promise.all([guest.close(), short.close()]);
});

test('shares - as many as the link allows; who comes again with the same key takes its own place', async (t) => {
  const world = await startWorld(t);
  const { secret } = await world.share({ viewers: 1 });
  const { privateKey } = generateKeyPairSync('ed25519');
  const first = await world.open(secret, { privateKey });
  for (const path of ['relay', 'direct'] as const)
    await assert.rejects(world.open(secret, { path }), { code: 'ERR_SHARE_FULL' });
  const again = await world.open(secret, { privateKey });
  await first.closed;
  await again.ping();
  await assert.rejects(world.open(secret), { code: 'ERR_SHARE_FULL' });
  const channels = Array.from({ length: limits.SHARE_CHANNELS + 3 }, () => new RawViewer(again));
  await waitFor(() => channels.filter(({ frames }) => frames.length > 0).length > 0, {
    what: 'viewers',
  });
  const refused = await Promise.all(
    channels.slice(limits.SHARE_CHANNELS).map((v) => v.ended.promise),
  );
  assert.deepEqual(new Set(refused), new Set(['ERR_PEER_LIMIT']));
  await again.close();
});

test('shares - what was revoked while the agent was away ends when it is back, and only that', async (t) => {
  const world = await startWorld(t);
  const revoked = await world.share();
  const kept = await world.share();
  // Direct connections: they live on without the broker.
  const guest = await world.open(revoked.secret, { path: 'direct' });
  const other = await world.open(kept.secret, { path: 'direct' });
  const viewer = new RawViewer(guest);
  const watching = new RawViewer(other);
  await waitFor(() => viewer.frames.length > 0 && watching.frames.length > 0, { what: 'attaches' });
  await world.withAgentAway(async () => {
    await world.broker().admin.revokeShare(revoked.share.id);
    assert.equal(viewer.refusal, undefined);
  });
  await viewer.ended.promise;
  assert.equal(viewer.refusal, 'ERR_SHARE_REVOKED');
  watching.type('echo st$((3))ill\n');
  await watching.sees('st3ill');
  await Promise.all([guest.close(), other.close()]);
});
