import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import { mock, test } from 'node:test';
import { createWeriftOffer } from '../../src/shared/node/peer/index.js';
import { checkLeaks, waitFor } from '../support/index.js';

checkLeaks();

test('gathering - without a STUN server nobody is asked, least of all the default of werift', async () => {
  const lookup = mock.method(dns, 'lookup');
  const candidates: string[] = [];
  const offer = await createWeriftOffer({
    iceServers: [],
    onCandidate: ({ candidate }) => candidates.push(candidate),
  });
  offer.connection.catch(() => undefined);
  await waitFor(() => candidates.some((line) => line.includes('127.0.0.1')));
  assert.ok(candidates.every((line) => line.includes('typ host')));
  assert.equal(lookup.mock.callCount(), 0);
  await offer.abandon();
  lookup.mock.restore();
});

test('gathering - a STUN server that was given is asked', async () => {
  const server = createSocket('udp4');
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const asked = once(server, 'message');
  const offer = await createWeriftOffer({
    iceServers: [{ urls: `stun:127.0.0.1:${String(server.address().port)}` }],
    onCandidate: () => undefined,
  });
  offer.connection.catch(() => undefined);
  const [request] = (await asked) as [Buffer];
  assert.equal(request.readUInt32BE(4), 0x2112a442, 'the magic cookie of RFC 5389');
  await offer.abandon();
  server.close();
});
