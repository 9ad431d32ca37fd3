import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startDialLoop } from '../../src/main/agent/dial/index.js';
import type { Dialed, DialLoop, Dialer, PeerOffer } from '../../src/main/agent/dial/index.js';
import {
  createLogger,
  deferred,
  HoldfastError,
  limits,
  type LogRecord,
} from '../../src/shared/common/index.js';
import { ManualClock } from '../support/manual-clock.js';
import { seededRandom } from '../support/index.js';

/** A link that ends when the test says so. */
function fakeLink(metadata: unknown = {}): { dialed: Dialed; drop(): void; wasClosed(): boolean } {
  const ended = deferred<void>();
  let closed = false;
  return {
    dialed: {
      metadata,
      workspaceId: 'id',
      workspace: 'name',
      issuerKeys: [],
      listener: {
        closed: ended.promise,
        onOffer: () => undefined,
        close: () => {
          closed = true;
          ended.resolve();
          return ended.promise;
        },
      },
    },
    drop: () => {
      ended.resolve();
    },
    wasClosed: () => closed,
  };
}

function start(
  dialer: Dialer,
  random: () => number = () => 0,
): {
  loop: DialLoop;
  clock: ManualClock;
  records: LogRecord[];
  metadata: unknown[];
  offers: PeerOffer[];
} {
  const clock = new ManualClock();
  const records: LogRecord[] = [];
  const metadata: unknown[] = [];
  const offers: PeerOffer[] = [];
  const loop = startDialLoop({
    dialer,
    clock,
    random,
    logger: createLogger((record) => records.push(record)),
    onDialed: (dialed) => metadata.push(dialed.metadata),
    onOffer: (offer) => offers.push(offer),
  });
  return { loop, clock, records, metadata, offers };
}

/** Lets everything that is ready run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise(setImmediate);
}

describe('dial loop', () => {
  test('dial loop - start returns before the first dial, and close right after means no dial', async () => {
    let dials = 0;
    const dialer: Dialer = () => {
      dials += 1;
      return Promise.resolve(fakeLink().dialed);
    };
    const first = start(dialer);
    assert.equal(dials, 0);
    await first.loop.close();
    assert.equal(dials, 0);
    assert.equal(first.loop.state, 'closed');
    const second = start(dialer);
    await settle();
    assert.equal(dials, 1);
    assert.equal(second.loop.state, 'connected');
    await second.loop.close();
  });

  test('dial loop - backs off from 50 ms to 10 s and logs each failure with its code', async () => {
    const seed = seededRandom();
    let dials = 0;
    const { loop, clock, records } = start(
      () => {
        dials += 1;
        return Promise.reject(new HoldfastError('ERR_BROKER_UNREACHABLE', 'down'));
      },
      () => seed.next(),
    );
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 14; attempt += 1) {
      await settle();
      assert.equal(dials, attempt);
      assert.equal(loop.state, 'waiting');
      const before = clock.now();
      while (dials === attempt && clock.now() - before < 20_000) {
        clock.advance(1);
        await Promise.resolve();
        if (clock.pending === 0) await settle();
      }
      waits.push(clock.now() - before);
    }
    for (const [index, wait] of waits.entries()) {
      const ceiling = Math.min(limits.DIAL_MAX_MS, limits.DIAL_MIN_MS * 2 ** index);
      assert.ok(
        wait >= Math.max(limits.DIAL_MIN_MS, ceiling / 2) && wait <= ceiling + 1,
        `${String(index)}: ${String(wait)}`,
      );
    }
    assert.equal(loop.lastError?.code, 'ERR_BROKER_UNREACHABLE');
    assert.ok(records.every(({ message }) => message === 'dial failed'));
    await loop.close();
    assert.equal(clock.pending, 0);
  });

  test('dial loop - starts the back-off over only after a stable minute', async () => {
    const links: ReturnType<typeof fakeLink>[] = [];
    const { loop, clock } = start(() => {
      const link = fakeLink();
      links.push(link);
      return Promise.resolve(link.dialed);
    });
    const dropAfter = async (ms: number): Promise<void> => {
      clock.advance(ms);
      links.at(-1)?.drop();
      await settle();
    };
    const redialsWithin = async (ms: number): Promise<boolean> => {
      const before = links.length;
      clock.advance(ms);
      await settle();
      return links.length > before;
    };
    await settle();
    await dropAfter(1_000);
    assert.ok(await redialsWithin(50));
    await dropAfter(1_000);
    assert.ok(await redialsWithin(50));
    await dropAfter(limits.DIAL_STABLE_MS - 1);
    assert.ok(!(await redialsWithin(99)));
    assert.ok(await redialsWithin(1));
    await dropAfter(limits.DIAL_STABLE_MS);
    assert.ok(await redialsWithin(50));
    assert.ok(links[0]?.wasClosed());
    await loop.close();
    assert.ok(links.every((link) => link.wasClosed()));
  });

  test('dial loop - close aborts a dial, a back-off and a listener at once', async () => {
    let aborted = false;
    const dialing = start(
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(new Error('x'));
          });
        }),
    );
    await settle();
    await dialing.loop.close();
    assert.ok(aborted);
    assert.equal(dialing.records.length, 0);

    const waiting = start(() => Promise.reject(new Error('down')));
    await settle();
    assert.equal(waiting.loop.state, 'waiting');
    await Promise.all([waiting.loop.close(), waiting.loop.close()]);
    assert.equal(waiting.clock.pending, 0);

    const link = fakeLink();
    const connected = start(() => Promise.resolve(link.dialed));
    await settle();
    await connected.loop.close();
    assert.ok(link.wasClosed());
  });

  test('dial loop - a dialer that ignores its signal holds up nothing; its late link is closed', async () => {
    const late = deferred<Dialed>();
    const { loop } = start(() => late.promise);
    await settle();
    await loop.close();
    const link = fakeLink();
    late.resolve(link.dialed);
    await settle();
    assert.ok(link.wasClosed());
  });

  test('dial loop - reads the metadata anew on each dial', async () => {
    let dials = 0;
    const link: ReturnType<typeof fakeLink>[] = [];
    const { loop, clock, metadata } = start(() => {
      dials += 1;
      link.push(fakeLink({ directory: `/d${String(dials)}` }));
      return Promise.resolve((link.at(-1) as ReturnType<typeof fakeLink>).dialed);
    });
    await settle();
    link[0]?.drop();
    await settle();
    clock.advance(50);
    await settle();
    assert.deepEqual(
      metadata.map((one) => (one as { directory: string }).directory),
      ['/d1', '/d2'],
    );
    await loop.close();
  });

  test('dial loop - metadata that is missing or lies about its types is a failed dial, tried again', async () => {
    const lies: unknown[] = [
      undefined,
      null,
      5,
      'x',
      [],
      { directory: 5 },
      { owner_email: {} },
      { environment_variables: [] },
      { environment_variables: { A: 1 } },
      { environment_variables: { 'A=B': 'x' } },
      { environment_variables: { A: 'x\0y' } },
      { startup_script: 5 },
      { directory: 'a\0b' },
    ];
    const links: ReturnType<typeof fakeLink>[] = [];
    const { loop, clock, records, metadata } = start(() => {
      const link = fakeLink(links.length < lies.length ? lies[links.length] : { directory: '/ok' });
      if (links.length < lies.length && lies[links.length] === undefined)
        Object.assign(link.dialed, { metadata: undefined });
      links.push(link);
      return Promise.resolve(link.dialed);
    });
    for (let i = 0; i <= lies.length; i += 1) {
      await settle();
      clock.advance(limits.DIAL_MAX_MS);
    }
    await settle();
    assert.equal(loop.state, 'connected');
    assert.equal(metadata.length, 1);
    const failures = records.filter(({ message }) => message === 'dial failed');
    assert.equal(failures.length, lies.length);
    for (const { fields } of failures) assert.match(String(fields['error']), /^ERR_METADATA: /);
    assert.ok(links.slice(0, lies.length).every((link) => link.wasClosed()));
    await loop.close();
  });

  test('dial loop - a thousand lost links cost no stack and no memory of the past', async () => {
    let dials = 0;
    const { loop, clock } = start(() => {
      dials += 1;
      const link = fakeLink();
      link.drop();
      return Promise.resolve(link.dialed);
    });
    while (dials < 1_000) {
      clock.advance(limits.DIAL_MAX_MS);
      await new Promise(setImmediate);
    }
    assert.ok(clock.pending <= 1);
    await loop.close();
  });
});
