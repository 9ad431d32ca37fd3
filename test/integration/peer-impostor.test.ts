import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CipherContext, RTCPeerConnection, type RTCDataChannel } from 'werift';
import type { IceCandidate } from '../../src/shared/common/wire/index.js';
import { answerWerift, createWeriftOffer } from '../../src/shared/node/peer/index.js';
import { checkLeaks } from '../support/index.js';
import { authenticateBoth, weriftCertificate } from '../support/peer/index.js';

checkLeaks();

/**
 * Somebody in between who shows each victim the other's certificate, which is public, with a key of his
 * own. werift takes that for good in both roles, so only our authentication stands in the way.
 */
async function impostor(certPem: string, onCandidate: (candidate: IceCandidate) => void) {
  const own = await CipherContext.createSelfSignedCertificateWithKey({ signature: 3, hash: 4 }, 23);
  const pc = new RTCPeerConnection({
    iceServers: [],
    iceAdditionalHostAddresses: ['127.0.0.1'],
    dtls: { keys: { ...own, certPem } },
  });
  pc.onIceCandidate.subscribe((candidate) => {
    const json = candidate?.toJSON();
    if (json?.candidate !== undefined) onCandidate({ ...json, candidate: json.candidate });
  });
  return pc;
}

test('impostor - the certificate of the victim with another key is refused by both ends', async () => {
  const fromClient: IceCandidate[] = [];
  const fromAgent: IceCandidate[] = [];
  const client = await createWeriftOffer({
    iceServers: [],
    onCandidate: (candidate) => fromClient.push(candidate),
  });

  const toAgentEarly: IceCandidate[] = [];
  const toAgent = await impostor(weriftCertificate(client), (each) => toAgentEarly.push(each));
  const agentSide = toAgent.createDataChannel('control', { protocol: 'control' });
  const offer = await toAgent.createOffer();
  await toAgent.setLocalDescription(offer);
  const agent = await answerWerift(toAgent.localDescription?.sdp ?? '', {
    iceServers: [],
    onCandidate: (candidate) => fromAgent.push(candidate),
  });
  await toAgent.setRemoteDescription({ type: 'answer', sdp: agent.sdp });

  const toClientEarly: IceCandidate[] = [];
  const toClient = await impostor(weriftCertificate(agent), (each) => toClientEarly.push(each));
  const clientSide = new Promise<RTCDataChannel>((resolve) => {
    toClient.onDataChannel.subscribe((channel) => {
      if (channel.protocol !== 'control') return;
      channel.onMessage.subscribe((data) => {
        agentSide.send(data);
      });
      resolve(channel);
    });
  });
  agentSide.onMessage.subscribe((data) => {
    void clientSide.then((channel) => {
      channel.send(data);
    });
  });
  await toClient.setRemoteDescription({ type: 'offer', sdp: client.sdp });
  await toClient.setLocalDescription(await toClient.createAnswer());
  await client.setAnswer(toClient.localDescription?.sdp ?? '');
  for (const each of fromClient) await toClient.addIceCandidate(plain(each));
  for (const each of fromAgent) await toAgent.addIceCandidate(plain(each));
  for (const each of toClientEarly) client.addCandidate(each);
  for (const each of toAgentEarly) agent.addCandidate(each);

  const [clientEnd, agentEnd] = await Promise.all([client.connection, agent.connection]);
  // The fingerprints match on both sides: werift has been fooled.
  assert.equal(clientEnd.binding().remoteFingerprint, agentEnd.binding().localFingerprint);
  assert.equal(agentEnd.binding().remoteFingerprint, clientEnd.binding().localFingerprint);
  const outcome = await authenticateBoth({ client: clientEnd, agent: agentEnd, engine: 'werift' });
  assert.deepEqual(outcome, { client: 'ERR_PEER_AUTH', agent: 'ERR_PEER_AUTH' });
  await Promise.all([clientEnd.close(), agentEnd.close(), toAgent.close(), toClient.close()]);
});

function plain({ candidate, sdpMid }: IceCandidate): { candidate: string; sdpMid: string } {
  return { candidate, sdpMid: sdpMid ?? '0' };
}
