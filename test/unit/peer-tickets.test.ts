import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { SignJWT, type JWTHeaderParameters } from 'jose';
import { TicketVerifier } from '../../src/main/agent/peers/index.js';
import { TICKET_TYPE } from '../../src/shared/common/wire/index.js';
import { publicKeyText } from '../../src/shared/node/peer/index.js';

const issuer = generateKeyPairSync('ed25519').privateKey;
const stranger = generateKeyPairSync('ed25519').privateKey;
const NOW = 1_800_000_000;

interface Changes {
  readonly claims?: Record<string, unknown>;
  readonly header?: Partial<JWTHeaderParameters>;
  readonly key?: KeyObject;
}

let serial = 0;

async function ticket({ claims = {}, header = {}, key = issuer }: Changes = {}): Promise<string> {
  serial += 1;
  return await new SignJWT({
    iss: 'broker',
    aud: 'workspace-1',
    sub: 'ann',
    jti: `ticket-${String(serial).padStart(16, '0')}`,
    iat: NOW,
    exp: NOW + 60,
    scope: ['owner'],
    cnf: { jwk: { kty: 'OKP', crv: 'Ed25519', x: publicKeyText(stranger) } },
    ...claims,
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: TICKET_TYPE, kid: 'k1', ...header })
    .sign(key);
}

function verifier(now: () => number = () => NOW * 1_000): TicketVerifier {
  return new TicketVerifier({
    issuerKeys: () => [{ kid: 'k1', key: publicKeyText(issuer) }],
    workspaceId: () => 'workspace-1',
    now,
  });
}

test('tickets - a good one is accepted once', async () => {
  const tickets = verifier();
  const good = await ticket();
  assert.equal((await tickets.verify(good)).sub, 'ann');
  await assert.rejects(tickets.verify(good), { code: 'ERR_TICKET' });
});

test('tickets - a used one stays used until it has expired for good', async () => {
  let now = NOW * 1_000;
  const tickets = verifier(() => now);
  const used = await ticket();
  await tickets.verify(used);
  now += 89_000;
  await tickets.verify(await ticket({ claims: { iat: NOW + 89, exp: NOW + 149 } }));
  await assert.rejects(tickets.verify(used), { code: 'ERR_TICKET' });
});

const REFUSED: [string, Changes][] = [
  ['signed by another key', { key: stranger }],
  ['of an unknown issuer', { header: { kid: 'k2' } }],
  ['of another type', { header: { typ: 'JWT' } }],
  ['for another workspace', { claims: { aud: 'workspace-2' } }],
  ['expired', { claims: { iat: NOW - 200, exp: NOW - 100 } }],
  ['not valid yet', { claims: { iat: NOW + 40, exp: NOW + 80 } }],
  ['valid for too long', { claims: { exp: NOW + 3_600 } }],
  ['without a key to prove', { claims: { cnf: undefined } }],
  ['without an id', { claims: { jti: undefined } }],
  ['with a scope that does not exist', { claims: { scope: ['root'] } }],
];

for (const [what, changes] of REFUSED) {
  test(`tickets - one ${what} is refused`, async () => {
    await assert.rejects(verifier().verify(await ticket(changes)), { code: 'ERR_TICKET' });
  });
}

test('tickets - an unsigned one is refused, and so is one signed with the public key as a secret', async () => {
  const [, payload = ''] = (await ticket()).split('.');
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: TICKET_TYPE, kid: 'k1' }));
  await assert.rejects(verifier().verify(`${none.toString('base64url')}.${payload}.`), {
    code: 'ERR_TICKET',
  });
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<
    string,
    unknown
  >;
  const confused = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: TICKET_TYPE, kid: 'k1' })
    .sign(Buffer.from(publicKeyText(issuer), 'base64url'));
  await assert.rejects(verifier().verify(confused), { code: 'ERR_TICKET' });
});

test('tickets - none is accepted before the first dial', async () => {
  const tickets = new TicketVerifier({ issuerKeys: () => [], workspaceId: () => undefined });
  await assert.rejects(tickets.verify(await ticket()), { code: 'ERR_TICKET' });
});
