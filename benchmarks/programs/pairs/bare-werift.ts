import { RTCPeerConnection, type RTCDataChannel } from 'werift';
import { deferred } from '../../../src/shared/common/index.js';
import {
  BULK,
  ECHO,
  HIGH_WATER_BYTES,
  type PairChannel,
  type PairChannels,
  type PairEnd,
  type PairMaker,
} from './types.js';

/** werift as it comes from the registry. */
export const bareWerift: PairMaker = {
  offer: async () => {
    const pc = createConnection();
    const channels = Promise.all([BULK, ECHO].map((label) => opened(pc.createDataChannel(label))));
    await pc.setLocalDescription(await pc.createOffer());
    return toEnd(
      pc,
      channels.then(([bulk, echo]) => ({ bulk: bulk!, echo: echo! })),
    );
  },
  answer: async (offer) => {
    const pc = createConnection();
    const channels = deferred<PairChannels>();
    const found = new Map<string, PairChannel>();
    pc.onDataChannel.subscribe((channel) => {
      found.set(channel.label, wrap(channel));
      const [bulk, echo] = [found.get(BULK), found.get(ECHO)];
      if (bulk !== undefined && echo !== undefined) channels.resolve({ bulk, echo });
    });
    await pc.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
    await addCandidates(pc, offer.candidates);
    await pc.setLocalDescription(await pc.createAnswer());
    return toEnd(pc, channels.promise);
  },
};

function createConnection(): RTCPeerConnection {
  // Loopback is left out by default, and a STUN server of somebody else's asked.
  return new RTCPeerConnection({ iceServers: [], iceAdditionalHostAddresses: ['127.0.0.1'] });
}

function toEnd(pc: RTCPeerConnection, channels: Promise<PairChannels>): PairEnd {
  return {
    description: { sdp: pc.localDescription?.sdp ?? '', candidates: [] },
    accept: async (answer) => {
      await pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
      await addCandidates(pc, answer.candidates);
      return [];
    },
    addCandidates: (candidates) => addCandidates(pc, candidates),
    channels,
    close: () => pc.close(),
  };
}

async function addCandidates(pc: RTCPeerConnection, candidates: readonly string[]): Promise<void> {
  for (const candidate of candidates) {
    await pc.addIceCandidate({ candidate, sdpMid: '0', sdpMLineIndex: 0 });
  }
}

async function opened(channel: RTCDataChannel): Promise<PairChannel> {
  await channel.stateChanged.watch((state) => state === 'open');
  return wrap(channel);
}

function wrap(channel: RTCDataChannel): PairChannel {
  channel.bufferedAmountLowThreshold = HIGH_WATER_BYTES / 2;
  return {
    isWritable: () => channel.bufferedAmount < HIGH_WATER_BYTES,
    send: (bytes) => {
      channel.send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    },
    onWritable: (handler) => {
      channel.bufferedAmountLow.subscribe(handler);
    },
    onMessage: (handler) => {
      channel.onMessage.subscribe((data) => {
        if (typeof data !== 'string') handler(data);
      });
    },
  };
}
