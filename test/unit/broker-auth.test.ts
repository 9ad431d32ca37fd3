import assert from 'node:assert/strict';
import { createHmac, createPublicKey, verify } from 'node:crypto';
import { describe, test } from 'node:test';
import { SignJWT } from 'jose';
import { FailureLimit, sourceOf } from '../../src/main/broker/auth/failure-limit.js';
import { covers, narrowScopes } from '../../src/main/broker/auth/scopes.js';
import { Sites } from '../../src/main/broker/auth/sites.js';
import { TicketIssuer } from '../../src/main/broker/auth/tickets.js';
import {
  bearerToken,
  hashToken,
  mintToken,
  sameHash,
  tokenKind,
} from '../../src/main/broker/auth/tokens.js';
import { UsedOnce } from '../../src/main/broker/auth/used-once.js';
import { IceServers } from '../../src/main/broker/signalling/ice.js';
import { limits } from '../../src/shared/common/index.js';
import { TICKET_TYPE, ticketClaimsSchema } from '../../src/shared/common/wire/index.js';
import { generateIdentity } from '../../src/shared/node/state/index.js';
import { ManualClock } from '../support/manual-clock.js';

describe('tokens', () => {
  test('tokens - are 256 random bits with a prefix, known by their hash', () => {
    const token = mintToken('user');
    assert.match(token, /^hf_user_[A-Za-z0-9_-]{43}$/);
    assert.notEqual(token, mintToken('user'));
    assert.equal(tokenKind(token), 'user');
    assert.equal(tokenKind(mintToken('agent')), 'agent');
    for (const bad of ['', 'hf_user_', `${token}A`, token.slice(1), `hf_root_${'A'.repeat(43)}`])
      assert.equal(tokenKind(bad), undefined);
    assert.ok(sameHash(hashToken(token), hashToken(token)));
    assert.ok(!sameHash(hashToken(token), hashToken('x')));
    assert.ok(!sameHash('', hashToken('x')));
  });

  test('tokens - come in a bearer header of sane size only', () => {
    assert.equal(bearerToken('Bearer abc'), 'abc');
    assert.equal(bearerToken('bearer  abc '), 'abc');
    for (const bad of [undefined, '', 'abc', 'Basic abc', 'Bearer', 'Bearer a b', 'Bearer é'])
      assert.equal(bearerToken(bad), undefined);
    assert.equal(bearerToken(`Bearer ${'a'.repeat(257)}`), undefined);
  });
});

describe('scopes', () => {
  test('scopes - a wider one covers a narrower one and never the other way round', () => {
    const yes = [
      ['owner', 'ssh'],
      ['owner', 'terminal:a:type'],
      ['ssh', 'ssh'],
      ['terminal:*:type', 'terminal:a:view'],
      ['terminal:*:view', 'terminal:a:view'],
      ['terminal:a:type', 'terminal:a:view'],
    ] as const;
    for (const [held, wanted] of yes) assert.ok(covers(held, wanted), `${held} ${wanted}`);
    const no = [
      ['ssh', 'owner'],
      ['ssh', 'sftp'],
      ['terminal:a:view', 'terminal:a:type'],
      ['terminal:a:type', 'terminal:b:view'],
      ['terminal:a:type', 'terminal:*:view'],
      ['terminal:*:view', 'terminal:a:type'],
      ['terminal:*:type', 'ssh'],
    ] as const;
    for (const [held, wanted] of no) assert.ok(!covers(held, wanted), `${held} ${wanted}`);
  });

  test('scopes - a ticket gets what it asks for, all that is held, or a clear refusal', () => {
    assert.deepEqual(narrowScopes(['ssh', 'sftp'], undefined), ['ssh', 'sftp']);
    assert.deepEqual(narrowScopes(['owner'], ['ssh', 'ssh']), ['ssh']);
    assert.throws(() => narrowScopes(['ssh'], ['owner']), { code: 'ERR_FORBIDDEN' });
    for (const bad of ['root', 'terminal:a', 'terminal::view', 'terminal:a:view:x', 'ssh\n'])
      assert.throws(() => narrowScopes(['owner'], [bad]), { code: 'ERR_INVALID_ARGUMENT' }, bad);
  });
});

describe('failure limit', () => {
  test('failure limit - refuses the sixth failure of a minute, of that source only', () => {
    const clock = new ManualClock();
    const failures = new FailureLimit(clock);
    for (let i = 0; i < 5; i += 1) assert.equal(failures.failed('10.0.0.1'), false);
    assert.equal(failures.failed('10.0.0.1'), true);
    assert.equal(failures.failed('::ffff:10.0.0.1'), true);
    assert.equal(failures.failed('10.0.0.2'), false);
    clock.advance(60_000);
    assert.equal(failures.failed('10.0.0.1'), false);
  });

  test('failure limit - remembers a bounded number of sources and forgets quiet ones', () => {
    const clock = new ManualClock();
    const failures = new FailureLimit(clock);
    for (let i = 0; i < limits.FAILURE_SOURCES + 500; i += 1)
      failures.failed(`10.${String(i >> 16)}.${String((i >> 8) & 255)}.${String(i & 255)}`);
    assert.equal(failures.size, limits.FAILURE_SOURCES);
    clock.advance(60_000);
    failures.failed('10.9.9.9');
    assert.equal(failures.size, 1);
  });

  test('failure limit - counts an IPv6 host by its /64', () => {
    assert.equal(sourceOf('2001:db8:1:2:3:4:5:6'), sourceOf('2001:db8:1:2::9'));
    assert.notEqual(sourceOf('2001:db8:1:2::1'), sourceOf('2001:db8:1:3::1'));
    assert.equal(sourceOf('fe80::1%eth0'), sourceOf('fe80::2'));
    assert.equal(sourceOf('::1'), '0:0:0:0::/64');
    assert.equal(sourceOf('unknown'), 'unknown');
  });
});

/** Origins that a page of somebody else could have, and near misses of ours. */
const BAD_ORIGINS = [
  'null',
  '',
  'http://evil.example',
  'http://127.0.0.1',
  'http://127.0.0.1:7421',
  'http://127.0.0.1:74200',
  'https://127.0.0.1:7420',
  'http://127.0.0.1:7420/',
  'http://127.0.0.1:7420.evil.example',
  'http://127.0.0.1:7420@evil.example',
  'http://evil.example@127.0.0.1:7420',
  'http://evil-127.0.0.1:7420',
  'http://127.0.0.1.:7420',
  'http://localhost:7420',
  'http://LOCALHOST:7420',
  'HTTP://127.0.0.1:7420',
  'http://127.1:7420',
  'http://[::1]:7420',
  'http://[::ffff:127.0.0.1]:7420',
  'file://',
  'file:///127.0.0.1:7420',
  'chrome-extension://abcdef',
  'ws://127.0.0.1:7420',
  'http://127.0.0.1:7420 ',
  'http://127.0.0.1:7420, http://evil.example',
  'http://xn--127-0.example:7420',
  'data:text/html,x',
];

describe('sites', () => {
  const local = new Sites({ scheme: 'http', host: '127.0.0.1', publicUrl: undefined });
  const open = new Sites({
    scheme: 'http',
    host: '0.0.0.0',
    publicUrl: 'https://broker.example',
  });

  test('sites - let the own page and programs without origin pass', () => {
    for (const host of [
      '127.0.0.1:7420',
      'localhost:7420',
      '[::1]:7420',
      'localhost',
      '127.0.0.1:9',
    ])
      for (const origin of [undefined, `http://${host}`])
        local.check({ headers: { host, origin } });
    open.check({ headers: { host: 'broker.example', origin: 'https://broker.example' } });
    open.check({ headers: { host: '192.168.1.9:7420', origin: 'http://192.168.1.9:7420' } });
    open.check({ headers: { host: '127.0.0.1:7420', origin: 'https://broker.example' } });
  });

  for (const origin of BAD_ORIGINS) {
    test(`sites - refuse the origin ${JSON.stringify(origin)}`, () => {
      assert.throws(
        () => {
          local.check({ headers: { host: '127.0.0.1:7420', origin } });
        },
        {
          code: 'ERR_FORBIDDEN',
        },
      );
    });
  }

  test('sites - refuse hosts under which nobody knows this broker', () => {
    const bad = [
      undefined,
      '',
      'evil.example',
      'evil.example:7420',
      'localhost.evil.example',
      '127.0.0.1.nip.io',
      'LOCALHOST',
      'localhost:7420:1',
      'user@localhost',
      'localhost/',
      '[::1',
      'broker.example.evil.com',
      'localhost:123456',
      'localhost, evil.example',
    ];
    for (const host of bad)
      for (const sites of [local, open])
        assert.throws(
          () => {
            sites.check({ headers: { host } });
          },
          { code: 'ERR_FORBIDDEN' },
          String(host),
        );
    assert.throws(() => {
      local.check({ headers: { host: 'broker.example' } });
    });
  });
});

describe('tickets', () => {
  const client = generateIdentity();
  const subject = {
    workspaceId: 'ws',
    subject: 'ann',
    tokenId: 'tok',
    scopes: ['owner'],
    publicKey: client.publicKey,
  };

  test('tickets - carry what the agent has to check, signed by the issuer', async () => {
    const identity = generateIdentity();
    const issuer = await TicketIssuer.create(identity, 'http://b');
    const { ticket, id } = await issuer.issue(subject);
    const [head = '', body = '', signature = ''] = ticket.split('.');
    assert.deepEqual(JSON.parse(Buffer.from(head, 'base64url').toString()), {
      alg: 'EdDSA',
      typ: TICKET_TYPE,
      kid: issuer.key.kid,
    });
    const claims = ticketClaimsSchema.parse(JSON.parse(Buffer.from(body, 'base64url').toString()));
    assert.equal(claims.aud, 'ws');
    assert.equal(claims.jti, id);
    assert.equal(claims.exp - claims.iat, limits.TICKET_MS / 1_000);
    assert.equal(claims.cnf.jwk.x, client.publicKey);
    assert.ok(
      verify(
        null,
        Buffer.from(`${head}.${body}`),
        createPublicKey(identity.privateKey),
        Buffer.from(signature, 'base64url'),
      ),
    );
    assert.equal((await issuer.verify(ticket)).tid, 'tok');
  });

  test('tickets - 30 kinds of forgery are refused, all with the same words', async () => {
    const identity = generateIdentity();
    const issuer = await TicketIssuer.create(identity, 'http://b');
    const { ticket } = await issuer.issue(subject);
    const [head = '', body = '', signature = ''] = ticket.split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
    const encode = (value: unknown): string =>
      Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1_000);
    const resign = (changes: Record<string, unknown>, headers: object = {}): Promise<string> =>
      new SignJWT({ ...claims, ...changes })
        .setProtectedHeader({ ...header, ...headers } as { alg: string })
        .sign(identity.privateKey);
    const other = generateIdentity();
    const forged = [
      '',
      '.',
      '..',
      ticket.slice(0, -1),
      `${ticket}A`,
      `${ticket}.`,
      `${head}.${body}.`,
      `${head}.${body}`,
      `${body}.${head}.${signature}`,
      `${encode({ ...header, alg: 'none' })}.${body}.`,
      `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
      `${encode({ ...header, alg: 'HS256' })}.${body}.${createHmac('sha256', identity.publicKey)
        .update(`${encode({ ...header, alg: 'HS256' })}.${body}`)
        .digest('base64url')}`,
      `${head}.${encode({ ...claims, aud: 'other' })}.${signature}`,
      `${head}.${encode({ ...claims, exp: now + 9e6 })}.${signature}`,
      await new SignJWT(claims)
        .setProtectedHeader(header as { alg: string })
        .sign(other.privateKey),
      await resign({}, { typ: 'JWT' }),
      await resign({}, { kid: 'other' }),
      await resign({}, { crit: ['x'], x: 1 }).catch(() => 'x'),
      await resign({ exp: now - 1 }),
      await resign({ exp: undefined }),
      await resign({ iat: now - 61 }),
      await resign({ iat: now + 3_600 }),
      await resign({ iat: undefined }),
      await resign({ jti: undefined }),
      await resign({ jti: 'short' }),
      await resign({ sub: '' }),
      await resign({ scope: [] }),
      await resign({ scope: ['root'] }),
      await resign({ scope: Array.from({ length: 33 }, () => 'ssh') }),
      await resign({ cnf: { jwk: { kty: 'oct', k: 'x' } } }),
      await resign({ tid: undefined }),
      await resign({ aud: ['ws', 'other'] }),
      await resign({ nbf: now + 3_600 }),
    ];
    for (const [index, evil] of forged.entries())
      await assert.rejects(
        issuer.verify(evil),
        { code: 'ERR_TICKET', message: 'the ticket was not accepted' },
        String(index),
      );
  });

  test('tickets - are used once, and remembered only as long as they could be', () => {
    const clock = new ManualClock();
    const used = new UsedOnce(90_000, clock);
    assert.ok(used.use('a'));
    assert.ok(!used.use('a'));
    clock.advance(89_999);
    assert.ok(!used.use('a'));
    clock.advance(1);
    assert.ok(used.use('a'));
  });
});

describe('ICE servers', () => {
  test('ICE servers - give TURN credentials that say until when and for whom', () => {
    const ice = new IceServers({
      stun: ['stun:s:3478'],
      turn: { urls: ['turn:t:3478'], secret: 'north' },
    });
    const [stun, turn] = ice.for('ann', 1_000_000_000_000);
    assert.deepEqual(stun, { urls: ['stun:s:3478'] });
    assert.equal(turn?.username, '1000000600:ann');
    assert.equal(
      turn.credential,
      createHmac('sha1', 'north').update('1000000600:ann').digest('base64'),
    );
    assert.deepEqual(new IceServers({ stun: [] }).for('ann'), []);
  });
});
