import {
  answerNative,
  answerWerift,
  createNativeOffer,
  createWeriftOffer,
  type PeerConnection,
} from '../../../src/shared/node/peer/index.js';
import type { ChannelEnd } from '../../../src/shared/common/index.js';
import type { IceCandidate } from '../../../src/shared/common/wire/index.js';
import type { NativePeer } from '../../../src/shared/node/peer/native/library.js';
import type { WeriftInternals } from '../../../src/shared/node/peer/werift/internals.js';
import { answerHosted } from './answer-hosted.js';
import type { Pair, PairOptions } from './pairs.js';
import { UdpPath, type PathFilter, type Side } from './udp-path.js';

/** A WebRTC engine. */
export type WebRtcEngine = 'werift' | 'native';

/** What a test needs of an end to play a hostile one. */
export interface Insides {
  readonly internals?: WeriftInternals;
  readonly peer?: NativePeer;
}

export interface WebRtcPair extends Pair {
  readonly insides: Readonly<Record<Side, Insides>>;
  /** What lies between the two. Absent: nothing, they talk directly. */
  readonly path: UdpPath | undefined;
}

export interface WebRtcPairOptions extends PairOptions {
  readonly client: WebRtcEngine;
  /** `hosted`: native, in a child process, as on an agent. */
  readonly server: WebRtcEngine | 'hosted';
  /** Of the path, which there is then. */
  readonly filter?: PathFilter;
  /** Of the path, each way, in ms; there is one then. */
  readonly delayMs?: number;
}

/** The host has gone on to live, so it says what has become of the peer. */
const HOSTED_LOST: ChannelEnd = {
  type: 'closed',
  error: { code: 'ERR_PEER_LOST', message: 'the connection to the peer was lost' },
};
const ANSWERS = { werift: answerWerift, native: answerNative, hosted: answerHosted };

/** Two ends of a WebRTC connection in this process, each by its engine. */
export async function webRtcPair({
  client: clientEngine,
  server: serverEngine,
  throughPath = false,
  filter,
  delayMs = 0,
  ...rest
}: WebRtcPairOptions): Promise<WebRtcPair> {
  const hasPath = throughPath || filter !== undefined || delayMs > 0;
  const path = hasPath ? new UdpPath(filter, delayMs) : undefined;
  await path?.open();
  const early: IceCandidate[] = [];
  let toServer = (candidate: IceCandidate): void => {
    early.push(candidate);
  };
  const pass = (candidate: IceCandidate, owner: Side, deliver: typeof toServer): void => {
    const shown = path === undefined ? candidate : path.rewrite(candidate, owner);
    if (shown !== undefined) deliver(shown);
  };
  const common = { iceServers: [], ...rest };
  const offer = await (clientEngine === 'native' ? createNativeOffer : createWeriftOffer)({
    ...common,
    onCandidate: (candidate) => {
      pass(candidate, 'client', (each) => {
        toServer(each);
      });
    },
  });
  const answer = await ANSWERS[serverEngine](offer.sdp, {
    ...common,
    onCandidate: (candidate) => {
      pass(candidate, 'server', (each) => {
        offer.addCandidate(each);
      });
    },
  });
  toServer = (candidate) => {
    answer.addCandidate(candidate);
  };
  for (const candidate of early) answer.addCandidate(candidate);
  await offer.setAnswer(answer.sdp);
  const [client, server] = await Promise.all([offer.connection, answer.connection]);
  const insides = { client: offer as Insides, server: answer as Insides };
  return {
    client,
    server,
    insides,
    path,
    ...(serverEngine === 'hosted' ? { lost: HOSTED_LOST } : {}),
    vanish: () => {
      path?.cut();
    },
    sendGarbage: () => {
      sendGarbage(insides.client);
    },
    close: async () => {
      await closeAll(client, server);
      path?.close();
    },
  };
}

async function closeAll(...connections: PeerConnection[]): Promise<void> {
  await Promise.all(connections.map((connection) => connection.close()));
}

/** Something that breaks the protocol, in whatever way the stack of an end allows. */
function sendGarbage({ internals, peer }: Insides): void {
  // No frame, on the link, which is the first stream of the end that offered.
  const link = internals?.dtlsTransport.role === 'client' ? 0 : 1;
  void internals?.sctp.send(link, 53, Buffer.alloc(16, 0xff), { ordered: true });
  // A second link, on a stream of either parity, since libdatachannel refuses the wrong one itself.
  for (const id of [900, 901]) {
    try {
      peer?.createDataChannel('1', { protocol: 'holdfast-link', id }).onClosed(() => undefined);
    } catch {
      // The other end has heard enough already, and has ended the connection.
    }
  }
}
