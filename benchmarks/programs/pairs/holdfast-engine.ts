import { setTimeout as sleep } from 'node:timers/promises';
import * as peer from '../../../src/shared/node/peer/index.js';
import { deferred } from '../../../src/shared/common/index.js';
import type { IceCandidate } from '../../../src/shared/common/wire/index.js';
import type {
  PeerChannel,
  PeerConnection,
  WeriftAttempt,
  WeriftOffer,
  WebRtcOptions,
} from '../../../src/shared/node/peer/index.js';
import {
  BULK,
  ECHO,
  MESSAGE_BYTES,
  type PairChannel,
  type PairChannels,
  type PairEnd,
  type PairMaker,
} from './types.js';

/** After the last candidate: there are a few, and each is found within some milliseconds. */
const GATHER_MS = 250;
const OPTIONS = { iceServers: [] } as const;

/** What every engine is made by. */
interface Engine {
  createOffer(options: WebRtcOptions): Promise<WeriftOffer>;
  answer(sdp: string, options: WebRtcOptions): Promise<WeriftAttempt>;
}

/** An engine of Holdfast between two processes, without an agent around it. */
export function holdfastEngine(name: 'Werift' | 'Native'): PairMaker {
  const engine = (): Engine => {
    // By name, since not every version has both.
    const exported = peer as unknown as Record<string, unknown>;
    return {
      createOffer: exported[`create${name}Offer`] as Engine['createOffer'],
      answer: exported[`answer${name}`] as Engine['answer'],
    };
  };
  return {
    offer: async () => {
      const found: string[] = [];
      const offer = await engine().createOffer({ ...OPTIONS, onCandidate: into(found) });
      await gathered(found);
      const channels = offer.connection.then((connection) => ({
        bulk: wrap(connection.openChannel({ label: BULK, protocol: BULK })),
        echo: wrap(connection.openChannel({ label: ECHO, protocol: ECHO })),
      }));
      return {
        description: { sdp: offer.sdp, candidates: found },
        accept: async (answer) => {
          // The native engine tells its candidates only once it has the answer.
          const told = found.length;
          await offer.setAnswer(answer.sdp);
          addCandidates(offer, answer.candidates);
          await gathered(found);
          return found.slice(told);
        },
        addCandidates: () => Promise.reject(new Error('it was this end that offered')),
        channels,
        close: () => offer.abandon(),
      };
    },
    answer: async (offer) => {
      const found: string[] = [];
      const attempt = await engine().answer(offer.sdp, { ...OPTIONS, onCandidate: into(found) });
      addCandidates(attempt, offer.candidates);
      await gathered(found);
      return {
        description: { sdp: attempt.sdp, candidates: found },
        accept: () => Promise.reject(new Error('it was this end that answered')),
        addCandidates: async (candidates) => {
          addCandidates(attempt, candidates);
        },
        channels: attempt.connection.then(incoming),
        close: () => attempt.abandon(),
      } satisfies PairEnd;
    },
  };
}

function into(found: string[]): (candidate: IceCandidate) => void {
  return ({ candidate }) => {
    found.push(candidate);
  };
}

async function gathered(found: readonly string[]): Promise<void> {
  let count = -1;
  while (found.length !== count) {
    count = found.length;
    await sleep(GATHER_MS);
  }
}

function addCandidates(attempt: WeriftAttempt, candidates: readonly string[]): void {
  for (const candidate of candidates) {
    attempt.addCandidate({ candidate, sdpMid: '0', sdpMLineIndex: 0 });
  }
}

async function incoming(connection: PeerConnection): Promise<PairChannels> {
  const channels = deferred<PairChannels>();
  const found = new Map<string, PairChannel>();
  connection.onChannel((channel) => {
    found.set(channel.label, wrap(channel));
    const [bulk, echo] = [found.get(BULK), found.get(ECHO)];
    if (bulk !== undefined && echo !== undefined) channels.resolve({ bulk, echo });
  });
  return await channels.promise;
}

function wrap(channel: PeerChannel): PairChannel {
  let room = (): void => undefined;
  let message = (_: Uint8Array): void => undefined;
  channel.start({
    message: (bytes) => {
      message(bytes);
      channel.consumed(bytes.length);
    },
    credit: () => {
      room();
    },
    end: () => undefined,
  });
  return {
    isWritable: () => channel.credit >= MESSAGE_BYTES,
    // Engines may transfer what they are given.
    send: (bytes) => {
      channel.send(new Uint8Array(bytes));
    },
    onWritable: (handler) => {
      room = handler;
    },
    onMessage: (handler) => {
      message = handler;
    },
  };
}
