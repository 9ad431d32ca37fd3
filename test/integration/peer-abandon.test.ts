import { test } from 'node:test';
import { answerWerift, createWeriftOffer } from '../../src/shared/node/peer/index.js';
import { checkLeaks } from '../support/index.js';

checkLeaks();

test('werift - a connection that is given up while it gathers candidates leaves no socket', async () => {
  const options = { iceServers: [], onCandidate: () => undefined };
  for (let round = 0; round < 5; round += 1) {
    const offer = await createWeriftOffer(options);
    const answer = await answerWerift(offer.sdp, options);
    for (const { connection } of [offer, answer]) connection.catch(() => undefined);
    await Promise.all([offer.abandon(), answer.abandon()]);
  }
});
