import type { Socket } from 'node:dgram';
import type { RTCIceCandidate, RTCPeerConnection } from 'werift';
import { limits, once, systemClock, wrapError, type Clock } from '../../../common/index.js';
import type { IceCandidate, IceServer } from '../../../common/wire/index.js';
import type { PeerConnection } from '../types.js';
import { guardDtls } from './dtls-guard.js';
import { openInternals, type DtlsTransportInternals, type WeriftInternals } from './internals.js';
import { WeriftConnection } from './werift-connection.js';

export interface WeriftOptions {
  readonly iceServers: readonly IceServer[];
  /** A candidate of ours for the other end. */
  readonly onCandidate: (candidate: IceCandidate) => void;
  readonly clock?: Clock | undefined;
  /** For tests of the heartbeat. */
  readonly heartbeatMs?: number | undefined;
}

/** A werift connection on its way. */
export interface WeriftAttempt {
  /** The offer, or the answer, to be sent to the other end. */
  readonly sdp: string;
  /**
   * Resolves when channels can be opened; nobody has been authenticated then.
   * @throws {HoldfastError} ERR_PEER_TIMEOUT, ERR_PEER_LOST.
   */
  readonly connection: Promise<PeerConnection>;
  /** A candidate of the other end. One that werift cannot read is dropped. */
  addCandidate(candidate: IceCandidate): void;
  /** Gives up, or closes the connection if it stands. Idempotent. */
  abandon(): Promise<void>;
  /** For tests that play a hostile peer. */
  readonly internals: WeriftInternals;
}

/** An attempt that waits for the answer to its offer. */
export interface WeriftOffer extends WeriftAttempt {
  /** @throws {HoldfastError} ERR_PROTOCOL if the SDP is unusable. */
  setAnswer(sdp: string): Promise<void>;
}

/** What the kernel keeps of packets that the loop is too busy for; its default of 208 KiB is a burst. */
const UDP_BUFFER_BYTES = 1024 * 1024;
const STUN_GATHER_SECONDS = 2;

/** Loads werift, which takes a while, before the first connection waits for it. */
export async function preloadWerift(): Promise<void> {
  await import('werift');
}

/** Makes an offer; this end becomes the client. */
export async function createWeriftOffer(options: WeriftOptions): Promise<WeriftOffer> {
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
export async function answerWerift(sdp: string, options: WeriftOptions): Promise<WeriftAttempt> {
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
}: WeriftOptions): Promise<RTCPeerConnection> {
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
  { iceServers, clock = systemClock, heartbeatMs }: WeriftOptions,
): BegunAttempt {
  const internals = openInternals(pc);
  let gathered = Promise.resolve();
  // Where no server is given, werift asks one of Google's; nobody told it that it may.
  if (!iceServers.some(namesStun)) {
    internals.dtlsTransport.iceTransport.connection.stunServer = undefined;
  }
  const connection = new WeriftConnection({ pc, internals, role, clock, heartbeatMs });
  connection.install();
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

/**
 * Whether a candidate hides its address behind a name of mDNS, as browsers do. Only its own network can
 * resolve it, and werift would ask that of it with every check; the browser's other candidates do.
 */
function isHidden(candidate: string): boolean {
  return /^(?:a=)?candidate:(?:\S+ ){4}\S+\.local /.test(candidate);
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
