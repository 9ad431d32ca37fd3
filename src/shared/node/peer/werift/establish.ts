import type { Socket } from 'node:dgram';
import type { RTCIceCandidate, RTCPeerConnection } from 'werift';
import { LinkedConnection } from '../../../common/data-channels/index.js';
import { limits, once, systemClock, wrapError } from '../../../common/index.js';
import type { IceServer } from '../../../common/wire/index.js';
import { isHidden } from '../hidden-candidates.js';
import type { PeerAttempt, PeerBinding, PeerOffer, WebRtcOptions } from '../types.js';
import { dtlsBinding, guardDtls } from './dtls-guard.js';
import { openInternals, type DtlsTransportInternals, type WeriftInternals } from './internals.js';
import { WeriftStack } from './werift-stack.js';

/** A werift connection on its way. */
export interface WeriftAttempt extends PeerAttempt {
  /** For tests that play a hostile peer. */
  readonly internals: WeriftInternals;
}

/** An attempt that waits for the answer to its offer. */
export interface WeriftOffer extends PeerOffer {
  /** For tests that play a hostile peer. */
  readonly internals: WeriftInternals;
}

/** What the kernel keeps of packets that the loop is too busy for; its default of 208 KiB is a burst. */
const UDP_BUFFER_BYTES = 1024 * 1024;
const STUN_GATHER_SECONDS = 2;

/** Loads werift, which takes a while, before the first connection waits for it. */
export async function preloadWerift(): Promise<void> {
  await import('werift');
}

/** Makes an offer; this end becomes the client. */
export async function createWeriftOffer(options: WebRtcOptions): Promise<WeriftOffer> {
  const pc = await createPeerConnection(options);
  // Only for its line in the SDP; channels are spoken by the engine itself.
  pc.createDataChannel('', { negotiated: true, id: 65_534 });
  const attempt = begin(pc, 'offerer', options);
  try {
    const offer = await pc.createOffer();
    attempt.gathering(setLocal(pc, offer));
    return {
      ...attempt,
      sdp: offer.sdp,
      setAnswer: async (sdp) => {
        try {
          await pc.setRemoteDescription({ type: 'answer', sdp: withoutHidden(sdp) });
        } catch (error) {
          throw wrapError(error, 'ERR_PROTOCOL', 'answer');
        }
      },
    };
  } catch (error) {
    await attempt.abandon();
    throw wrapError(error, 'ERR_PROTOCOL', 'offer');
  }
}

/**
 * Answers an offer.
 * @throws {HoldfastError} ERR_PROTOCOL if the SDP is unusable.
 */
export async function answerWerift(sdp: string, options: WebRtcOptions): Promise<WeriftAttempt> {
  const pc = await createPeerConnection(options);
  let attempt: BegunAttempt | undefined;
  try {
    await pc.setRemoteDescription({ type: 'offer', sdp: withoutHidden(sdp) });
    attempt = begin(pc, 'answerer', options);
    const answer = await pc.createAnswer();
    attempt.gathering(setLocal(pc, answer));
    return { ...attempt, sdp: answer.sdp };
  } catch (error) {
    await (attempt === undefined ? pc.close() : attempt.abandon());
    throw wrapError(error, 'ERR_PROTOCOL', 'offer');
  }
}

/** Gathers candidates, which may take seconds; those found are told one by one meanwhile. */
async function setLocal(
  pc: RTCPeerConnection,
  description: Parameters<RTCPeerConnection['setLocalDescription']>[0],
): Promise<void> {
  // A failure shows as a connection that never stands.
  await (pc.setLocalDescription as (each: unknown) => Promise<unknown>)(description).catch(
    () => undefined,
  );
}

async function createPeerConnection({
  iceServers,
  onCandidate,
}: WebRtcOptions): Promise<RTCPeerConnection> {
  // Loaded on first use: 25 MB and 140 ms that a local connection does not need.
  const werift = await import('werift');
  const { signature, hash, curve } = {
    signature: werift.SignatureAlgorithm.ecdsa_3,
    hash: werift.HashAlgorithm.sha256_4,
    curve: werift.NamedCurveAlgorithm.secp256r1_23,
  };
  // werift would use one certificate for the whole process, by which its peers could be linked.
  const keys = await werift.CipherContext.createSelfSignedCertificateWithKey(
    { signature, hash },
    curve,
  );
  const pc = new werift.RTCPeerConnection({
    iceServers: iceServers.map(({ urls, username, credential }) => ({
      urls,
      ...(username === undefined ? {} : { username }),
      ...(credential === undefined ? {} : { credential }),
    })),
    iceAdditionalHostAddresses: ['127.0.0.1'],
    iceStunGatherTimeout: STUN_GATHER_SECONDS,
    bundlePolicy: 'max-bundle',
    maxMessageSize: limits.MESSAGE_BYTES,
    dtls: { keys },
  });
  pc.onIceCandidate.subscribe((candidate: RTCIceCandidate | undefined) => {
    const json = candidate?.toJSON();
    if (json?.candidate === undefined || json.candidate === '') return;
    onCandidate({
      candidate: json.candidate,
      sdpMid: json.sdpMid,
      sdpMLineIndex: json.sdpMLineIndex,
    });
  });
  return pc;
}

interface BegunAttempt extends Omit<WeriftAttempt, 'sdp'> {
  /** Candidates are being gathered until `gathered` resolves. */
  gathering(gathered: Promise<void>): void;
}

function begin(
  pc: RTCPeerConnection,
  role: 'offerer' | 'answerer',
  { iceServers, clock = systemClock, heartbeatMs }: WebRtcOptions,
): BegunAttempt {
  const internals = openInternals(pc);
  let gathered = Promise.resolve();
  // Where no server is given, werift asks one of Google's; nobody told it that it may.
  if (!iceServers.some(namesStun)) {
    internals.dtlsTransport.iceTransport.connection.stunServer = undefined;
  }
  const connection = new LinkedConnection<PeerBinding>({
    engine: 'werift',
    role,
    clock,
    heartbeatMs,
    binding: () => dtlsBinding(internals.dtlsTransport),
    stack: (events) => {
      const stack = new WeriftStack({ pc, internals, clock, events });
      stack.install();
      return stack;
    },
  });
  internals.dtlsTransport.onStateChange.subscribe((state) => {
    if (state === 'connected') {
      guardDtls(internals.dtlsTransport);
      enlargeBuffers(internals.dtlsTransport);
    } else if (state === 'closed') {
      connection.transportEnded(undefined);
    } else if (state === 'failed') {
      connection.transportEnded({ code: 'ERR_PEER_LOST', message: 'the handshake failed' });
    }
  });
  pc.connectionStateChange.subscribe((state) => {
    if (state === 'failed' || state === 'closed')
      connection.transportEnded({
        code: 'ERR_PEER_LOST',
        message: 'no path to the other end was found, or it broke',
      });
  });
  const timer = clock.after(limits.PEER_ESTABLISH_MS, () => {
    connection.transportEnded({
      code: 'ERR_PEER_TIMEOUT',
      message: 'the other end could not be reached in time',
    });
  });
  const standing = connection.connected.then(() => connection);
  standing
    .catch(() => undefined)
    .finally(() => {
      timer.cancel();
    });
  return {
    internals,
    connection: standing,
    gathering: (promise) => {
      gathered = promise;
    },
    addCandidate: ({ candidate, sdpMid, sdpMLineIndex }) => {
      if (isHidden(candidate)) return;
      pc.addIceCandidate({
        candidate,
        ...(typeof sdpMid === 'string' ? { sdpMid } : {}),
        ...(typeof sdpMLineIndex === 'number' ? { sdpMLineIndex } : {}),
      }).catch(() => undefined);
    },
    abandon: once(async () => {
      connection.transportEnded({ code: 'ERR_CLOSED', message: 'the connection was given up' });
      await connection.close();
      // werift opens sockets while it gathers, also after it was closed.
      await gathered;
      const { protocols } = internals.dtlsTransport.iceTransport.connection;
      await Promise.allSettled(protocols.map(async (protocol) => protocol.close?.()));
    }),
  };
}

function withoutHidden(sdp: string): string {
  return sdp
    .split('\r\n')
    .filter((line) => !isHidden(line))
    .join('\r\n');
}

function namesStun({ urls }: IceServer): boolean {
  return [urls].flat().some((url) => url.startsWith('stun:') || url.startsWith('stuns:'));
}

/** Best effort: a socket that refuses keeps its size. */
function enlargeBuffers({ iceTransport }: DtlsTransportInternals): void {
  for (const { transport } of iceTransport.connection.protocols) {
    const socket = transport?.socket as Partial<Socket> | undefined;
    try {
      socket?.setRecvBufferSize?.(UDP_BUFFER_BYTES);
      socket?.setSendBufferSize?.(UDP_BUFFER_BYTES);
    } catch {
      // Closed already, or not allowed.
    }
  }
}
