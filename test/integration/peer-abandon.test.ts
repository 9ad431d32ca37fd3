import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  answerWerift,
  createWeriftOffer,
  type WeriftAttempt,
} from '../../src/shared/node/peer/index.js';
import type { IceCandidate } from '../../src/shared/common/wire/index.js';
import { checkLeaks } from '../support/index.js';

checkLeaks({ patienceMs: 8_000 });

test('werift - a connection that is given up while it gathers candidates leaves no socket', async () => {
  const options = { iceServers: [], onCandidate: () => undefined };
  for (let round = 0; round < 5; round += 1) {
    const offer = await createWeriftOffer(options);
    const answer = await answerWerift(offer.sdp, options);
    for (const { connection } of [offer, answer]) connection.catch(() => undefined);
    await Promise.all([offer.abandon(), answer.abandon()]);
  }
});

test('werift - a connection that is given up in its handshake sends no more of it after that', async () => {
  const ends: WeriftAttempt[] = [];
  const waiting: IceCandidate[] = [];
  const offer = await createWeriftOffer({
    iceServers: [],
    onCandidate: (candidate) => {
      if (ends[0] === undefined) waiting.push(candidate);
      else ends[0].addCandidate(candidate);
    },
  });
  const answer = await answerWerift(offer.sdp, {
    iceServers: [],
    onCandidate: (candidate) => {
      offer.addCandidate(candidate);
    },
  });
  ends.push(answer);
  for (const each of waiting) answer.addCandidate(each);
  for (const { connection } of [offer, answer]) connection.catch(() => undefined);
  await offer.setAnswer(answer.sdp);
  // Whoever begins the handshake gets no answer, as from a machine that has just gone to sleep.
  const { protocols } = answer.internals.dtlsTransport.iceTransport.connection;
  while (offer.internals.dtlsTransport.dtls === undefined) await sleep(5);
  for (const { transport } of protocols) {
    (transport as { send: () => Promise<void> }).send = () => Promise.resolve();
  }
  await sleep(200);
  await Promise.all([offer.abandon(), answer.abandon()]);
});

test('werift - a candidate that hides behind a name of mDNS is passed over', async () => {
  const options = { iceServers: [], onCandidate: () => undefined };
  const offer = await createWeriftOffer(options);
  const hidden =
    'candidate:1 1 udp 2122260223 0c4a7b9e-1f6e-4b11-9d0c-3a6f0a000001.local 50000 typ host';
  const sdp = offer.sdp.replace(/(a=ice-ufrag)/, `a=${hidden}\r\n$1`);
  const answer = await answerWerift(sdp, options);
  answer.addCandidate({ candidate: hidden, sdpMid: '0', sdpMLineIndex: 0 });
  await sleep(50);
  const { connection } = answer.internals.dtlsTransport.iceTransport;
  const { remoteCandidates = [] } = connection as { remoteCandidates?: { host: string }[] };
  assert.deepEqual(
    remoteCandidates.filter(({ host }) => host.endsWith('.local')),
    [],
  );
  for (const end of [offer, answer]) end.connection.catch(() => undefined);
  await Promise.all([offer.abandon(), answer.abandon()]);
});
