import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTerminalId } from '../../src/shared/common/index.js';
import {
  clientControlSchema,
  parseMetadata,
  peerTranscript,
  Permissions,
  scopeSchema,
  ticketClaimsSchema,
  type PeerTranscript,
} from '../../src/shared/common/wire/index.js';

const id = parseTerminalId('build');

test('permissions - an owner may do everything', () => {
  const owner = new Permissions(['owner']);
  for (const what of ['ssh', 'sftp', 'forward'] as const) owner.require(what);
  assert.equal(owner.terminalAccess(id), 'type');
});

test('permissions - a scope allows what it names and nothing else', () => {
  const guest = new Permissions(['terminal:build:view', 'sftp']);
  assert.equal(guest.terminalAccess(id), 'view');
  assert.equal(guest.terminalAccess(parseTerminalId('other')), 'none');
  assert.equal(guest.isOwner(), false);
  guest.require('sftp');
  for (const what of ['ssh', 'forward'] as const) {
    assert.equal(guest.allows(what), false);
    assert.throws(() => guest.require(what), { code: 'ERR_FORBIDDEN' });
  }
});

test('permissions - the stronger of two scopes holds, and * is every terminal', () => {
  const both = new Permissions(['terminal:*:view', 'terminal:build:type']);
  assert.equal(both.terminalAccess(id), 'type');
  assert.equal(both.terminalAccess(parseTerminalId('other')), 'view');
  assert.equal(new Permissions([]).terminalAccess(id), 'none');
});

test('permissions - malformed scopes never get into a ticket', () => {
  for (const scope of ['owner', 'ssh', 'terminal:*:type', 'terminal:a-1:view']) {
    assert.equal(scopeSchema.safeParse(scope).success, true, scope);
  }
  for (const scope of [
    '',
    'Owner',
    'owner ',
    'terminal:*',
    'terminal::view',
    'terminal:a b:view',
    'terminal:*:own',
    'root',
  ]) {
    assert.equal(scopeSchema.safeParse(scope).success, false, scope);
  }
});

test('ticket - claims need an audience, a key and at least one scope', () => {
  const claims = {
    iss: 'broker',
    aud: 'ws',
    sub: 'alice',
    jti: 'a'.repeat(22),
    iat: 1,
    exp: 2,
    scope: ['owner'],
    cnf: { jwk: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) } },
  };
  assert.equal(ticketClaimsSchema.safeParse(claims).success, true);
  for (const broken of [
    { ...claims, aud: ['ws', 'other'] },
    { ...claims, scope: [] },
    { ...claims, cnf: undefined },
    { ...claims, cnf: { jwk: { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) } } },
    { ...claims, exp: '2' },
    { ...claims, jti: 'short' },
  ]) {
    assert.equal(ticketClaimsSchema.safeParse(broken).success, false);
  }
});

const fields: PeerTranscript = {
  engine: 'werift',
  workspace: 'ws',
  ticketId: 'jti',
  clientNonce: 'c',
  agentNonce: 'a',
  clientFingerprint: 'CC',
  agentFingerprint: 'AA',
  exporter: 'absent',
};

test('transcript - is one line per field in fixed order', () => {
  assert.equal(
    Buffer.from(peerTranscript('agent', fields)).toString(),
    'holdfast-peer-v1\nagent\nwerift\nws\njti\nc\na\nCC\nAA\nabsent',
  );
});

test('transcript - no change of a field or role leaves it the same', () => {
  const plain = Buffer.from(peerTranscript('agent', fields)).toString();
  assert.notEqual(Buffer.from(peerTranscript('client', fields)).toString(), plain);
  for (const key of Object.keys(fields)) {
    const changed = Buffer.from(peerTranscript('agent', { ...fields, [key]: 'x' })).toString();
    assert.notEqual(changed, plain, key);
  }
});

test('transcript - a field with a line break is refused', () => {
  for (const bad of ['a\nb', 'a\r', '\n']) {
    assert.throws(() => peerTranscript('agent', { ...fields, workspace: bad }), TypeError);
  }
});

test('control - a nonce or signature of the wrong length is refused', () => {
  const hello = { type: 'hello', version: 1, nonce: 'A'.repeat(43), engine: 'framed' };
  assert.equal(clientControlSchema.safeParse(hello).success, true);
  for (const nonce of ['', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}=`, 7]) {
    assert.equal(clientControlSchema.safeParse({ ...hello, nonce }).success, false);
  }
  const proof = { type: 'proof', signature: 'A'.repeat(85) };
  assert.equal(clientControlSchema.safeParse(proof).success, false);
});

test('metadata - the original names are read, and what is absent has a default', () => {
  assert.deepEqual(parseMetadata({}), {
    owner_email: '',
    owner_username: '',
    environment_variables: {},
    directory: '',
  });
  const full = {
    owner_email: 'a@b',
    owner_username: 'a',
    environment_variables: { X: '1' },
    startup_script: '',
    directory: '/srv',
  };
  assert.deepEqual(parseMetadata(full), full);
});

test('metadata - that lies about its types is refused with the name of the field', () => {
  const wrong: [unknown, RegExp][] = [
    [undefined, /metadata/],
    [null, /metadata/],
    ['text', /metadata/],
    [{ directory: 7 }, /directory/],
    [{ directory: 'a\0b' }, /directory/],
    [{ startup_script: {} }, /startup_script/],
    [{ environment_variables: ['A=1'] }, /environment_variables/],
    [{ environment_variables: { A: 1 } }, /environment_variables\.A/],
    [{ environment_variables: { 'A=B': '1' } }, /environment_variables/],
    [{ environment_variables: { A: 'x\0y' } }, /environment_variables/],
  ];
  for (const [value, message] of wrong) {
    assert.throws(() => parseMetadata(value), { code: 'ERR_METADATA', message });
  }
});
