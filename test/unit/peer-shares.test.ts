import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shares, type SharePeer } from '../../src/main/agent/peers/shares.js';
import { limits, silentLogger } from '../../src/shared/common/index.js';
import {
  formatShareLink,
  looksLikeLink,
  parseShareFragment,
  parseShareLink,
} from '../../src/shared/common/wire/index.js';
import { ManualClock } from '../support/manual-clock.js';

const ID = 'A'.repeat(22);
const OTHER = 'B'.repeat(22);

class Peer implements SharePeer {
  readonly clientKey: string;
  readonly ended: Promise<void>;
  end: () => void = () => undefined;
  expelled: string | undefined;
  disconnected = false;

  constructor(clientKey: string) {
    this.clientKey = clientKey;
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  expel({ code }: { readonly code: string }): void {
    this.expelled = code;
    this.end();
  }

  disconnect(): void {
    this.disconnected = true;
    this.end();
  }
}

function createShares(): { shares: Shares; clock: ManualClock; wall: { now: number } } {
  const clock = new ManualClock();
  const wall = { now: 1_000_000_000 };
  const shares = new Shares({ clock, logger: silentLogger, now: () => wall.now + clock.now() });
  return { shares, clock, wall };
}

/** Lets in a peer of `key`, as an offer would. */
function enter(shares: Shares, key: string, cap: number, exp?: number, id = ID): Peer {
  const claim = { id, cap, ...(exp === undefined ? {} : { exp }) };
  shares.require(claim, key);
  const peer = new Peer(key);
  shares.add(claim, peer);
  return peer;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('peer shares - so many as the link allows, each link for itself', async () => {
  const { shares } = createShares();
  const first = enter(shares, 'a', 2);
  enter(shares, 'b', 2);
  assert.throws(() => enter(shares, 'c', 2), { code: 'ERR_SHARE_FULL' });
  enter(shares, 'c', 2, undefined, OTHER);
  assert.deepEqual(shares.live, [ID, OTHER]);
  first.end();
  await settled();
  enter(shares, 'c', 2);
});

test('peer shares - a client that comes again takes the place of its lost connection once it is proved', async () => {
  const { shares } = createShares();
  const lost = enter(shares, 'a', 1);
  const again = enter(shares, 'a', 1);
  assert.equal(lost.disconnected, false, 'anybody may claim a key that they have not proved');
  shares.authenticated(ID, again);
  assert.ok(lost.disconnected);
  assert.ok(!again.disconnected);
  await settled();
  assert.throws(() => enter(shares, 'b', 1), { code: 'ERR_SHARE_FULL' });
});

test('peer shares - two connections of one client live side by side where there is room', () => {
  const { shares } = createShares();
  const one = enter(shares, 'a', 2);
  const two = enter(shares, 'a', 2);
  shares.authenticated(ID, two);
  assert.ok(!one.disconnected);
});

test('peer shares - revoked: its peers are out, and tickets made before are refused for as long as they are good', () => {
  const { shares, clock } = createShares();
  const peer = enter(shares, 'a', 5);
  const other = enter(shares, 'b', 5, undefined, OTHER);
  shares.revoke([ID]);
  assert.equal(peer.expelled, 'ERR_SHARE_REVOKED');
  assert.equal(other.expelled, undefined);
  assert.throws(() => enter(shares, 'c', 5), { code: 'ERR_SHARE_REVOKED' });
  clock.advance(limits.TICKET_MS + limits.TICKET_SKEW_MS);
  assert.throws(() => enter(shares, 'c', 5), { code: 'ERR_SHARE_REVOKED' });
});

test('peer shares - what is remembered of revoked links is bounded', () => {
  const { shares } = createShares();
  const ids = Array.from({ length: limits.SHARES_REVOKED + 1 }, (_, index) =>
    String(index).padStart(22, '0'),
  );
  shares.revoke(ids);
  enter(shares, 'a', 1, undefined, ids[0]);
  assert.throws(() => enter(shares, 'a', 1, undefined, ids[1]), { code: 'ERR_SHARE_REVOKED' });
});

test('peer shares - expired: its peers are out at that second, also when the clock is set', async () => {
  const { shares, clock, wall } = createShares();
  const exp = Math.floor(wall.now / 1_000) + 100;
  const peer = enter(shares, 'a', 5, exp);
  const late = enter(shares, 'b', 5, exp + 86_400 * 29, OTHER);
  const open = enter(shares, 'c', 5, undefined, 'C'.repeat(22));
  clock.advance(99_000);
  assert.equal(peer.expelled, undefined);
  clock.advance(1_001);
  assert.equal(peer.expelled, 'ERR_SHARE_EXPIRED');
  assert.throws(() => enter(shares, 'd', 5, exp), { code: 'ERR_SHARE_EXPIRED' });
  assert.equal(late.expelled, undefined);
  wall.now += 86_400_000 * 30;
  clock.advance(limits.SHARE_CHECK_MS);
  assert.equal(late.expelled, 'ERR_SHARE_EXPIRED');
  assert.equal(open.expelled, undefined);
  open.end();
  await settled();
  assert.equal(clock.pending, 0, 'a timer for nobody');
});

test('share link - is read back as it was made, and anything else is refused without being quoted', () => {
  const secret = `hf_share_${'s'.repeat(43)}`;
  const agentKey = 'k'.repeat(43);
  for (const terminal of ['main', undefined, '0f9c2b52-4e55-4d5f-9b0e-8e1a3f6f2a11']) {
    const link = {
      origin: 'http://127.0.0.1:7420',
      workspace: 'build',
      terminal,
      secret,
      agentKey,
    };
    assert.deepEqual(parseShareLink(formatShareLink(link)), link);
    assert.deepEqual(
      parseShareLink(`  ${formatShareLink(link).replace('#', '?via=relay#')}\n`),
      link,
    );
  }
  assert.deepEqual(parseShareFragment(`#${secret}.${agentKey}`), { secret, agentKey });
  const bad = [
    '',
    'https://broker.example/s/build',
    `https://broker.example/s/build/main#${secret}`,
    `https://broker.example/s/build/main#${secret}.${agentKey}x`,
    `https://broker.example/s/build/main#${secret.replace('share', 'user')}.${agentKey}`,
    `https://user@broker.example/s/build/main#${secret}.${agentKey}`,
    `https://broker.example/w/build/main#${secret}.${agentKey}`,
    `https://broker.example/s/Build/main#${secret}.${agentKey}`,
    `https://broker.example/s/build/a/b#${secret}.${agentKey}`,
    `https://broker.example/s/build/a%2fb#${secret}.${agentKey}`,
    `ftp://broker.example/s/build/main#${secret}.${agentKey}`,
  ];
  for (const text of bad)
    assert.throws(
      () => parseShareLink(text),
      (error: Error & { code?: string }) =>
        error.code === 'ERR_INVALID_ARGUMENT' && !error.message.includes('hf_'),
      text,
    );
  assert.ok(looksLikeLink('HTTPS://x'));
  assert.ok(!looksLikeLink('https'));
});
