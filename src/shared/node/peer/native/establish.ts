import { networkInterfaces } from 'node:os';
import { LinkedConnection } from '../../../common/data-channels/index.js';
import {
  deferred,
  HoldfastError,
  limits,
  once,
  systemClock,
  wrapError,
} from '../../../common/index.js';
import type { IceCandidate } from '../../../common/wire/index.js';
import type { PeerAttempt, PeerBinding, PeerOffer, WebRtcOptions } from '../types.js';
import { toNativeServers } from './ice-servers.js';
import { loadNative, type NativePeer } from './library.js';
import { NativeStack } from './native-stack.js';
import { LIBRARY_MESSAGE_BYTES, readCandidate, readSdp, writeSdp, type SdpFacts } from './sdp.js';

/** Of a whole packet, as RFC 8261 section 5 advises where no path MTU is discovered. */
const MTU = 1_200;

/** For tests that play a hostile peer. */
interface WithPeer {
  readonly peer: NativePeer;
}

/**
 * Makes an offer; this end becomes the client.
 * @throws {HoldfastError} ERR_ENGINE_UNAVAILABLE.
 */
export async function createNativeOffer(options: WebRtcOptions): Promise<PeerOffer & WithPeer> {
  const attempt = await NativeAttempt.create('offerer', options);
  try {
    const sdp = await attempt.describe('offer');
    return {
      ...attempt.face(sdp),
      setAnswer: (answer) => {
        try {
          attempt.setRemote(readSdp(answer), 'answer');
          return Promise.resolve();
        } catch (error) {
          return Promise.reject(wrapError(error, 'ERR_PROTOCOL', 'answer'));
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
 * @throws {HoldfastError} ERR_PROTOCOL if the SDP is unusable, ERR_ENGINE_UNAVAILABLE.
 */
export async function answerNative(
  sdp: string,
  options: WebRtcOptions,
): Promise<PeerAttempt & WithPeer> {
  let facts: SdpFacts;
  try {
    facts = readSdp(sdp);
  } catch (error) {
    throw wrapError(error, 'ERR_PROTOCOL', 'offer');
  }
  const attempt = await NativeAttempt.create('answerer', options);
  try {
    // This end finds a path first, since it begins to look first, and drops what the DTLS client sends before it
    // has one; OpenSSL would send that again after a second. So the other end is the client where it may be.
    attempt.setRemote(facts.setup === 'actpass' ? { ...facts, setup: 'active' } : facts, 'offer');
    return attempt.face(await attempt.describe('answer'));
  } catch (error) {
    await attempt.abandon();
    throw wrapError(error, 'ERR_PROTOCOL', 'offer');
  }
}

class NativeAttempt {
  readonly #peer: NativePeer;
  readonly #connection: LinkedConnection<PeerBinding>;
  readonly #standing: Promise<LinkedConnection<PeerBinding>>;
  readonly #described = deferred<string>();
  /** Candidates of the other end that came before its description. */
  readonly #early: string[] = [];
  /** Candidates of ours that are not told yet. */
  readonly #untold: IceCandidate[] = [];
  readonly #onCandidate: (candidate: IceCandidate) => void;
  #local: SdpFacts | undefined;
  #remote: SdpFacts | undefined;

  static async create(
    role: 'offerer' | 'answerer',
    options: WebRtcOptions,
  ): Promise<NativeAttempt> {
    const { PeerConnection } = await loadNative();
    const peer = new PeerConnection('', {
      iceServers: toNativeServers(options.iceServers),
      mtu: MTU,
      maxMessageSize: LIBRARY_MESSAGE_BYTES,
      disableAutoNegotiation: true,
      ...(hasNetwork() ? {} : { bindAddress: '127.0.0.1' }),
    });
    return new NativeAttempt(peer, role, options);
  }

  private constructor(
    peer: NativePeer,
    role: 'offerer' | 'answerer',
    { onCandidate, clock = systemClock, heartbeatMs }: WebRtcOptions,
  ) {
    this.#peer = peer;
    this.#onCandidate = onCandidate;
    this.#connection = new LinkedConnection<PeerBinding>({
      engine: 'native',
      role,
      clock,
      heartbeatMs,
      binding: () => this.#binding(),
      stack: (events) => {
        const stack = new NativeStack({ peer, clock, events, parity: () => this.#parity() });
        stack.install();
        return stack;
      },
    });
    peer.onLocalDescription((sdp) => {
      this.#described.resolve(sdp);
    });
    peer.onLocalCandidate((candidate, mid) => {
      const text = readCandidate(candidate);
      if (text !== undefined) this.#tell({ candidate: text, sdpMid: mid, sdpMLineIndex: 0 });
    });
    const timer = clock.after(limits.PEER_ESTABLISH_MS, () => {
      this.#connection.transportEnded({
        code: 'ERR_PEER_TIMEOUT',
        message: 'the other end could not be reached in time',
      });
    });
    this.#standing = this.#connection.connected.then(() => this.#connection);
    this.#standing
      .catch(() => undefined)
      .finally(() => {
        timer.cancel();
      });
  }

  /** Makes the local description; candidates follow one by one. */
  async describe(type: 'offer' | 'answer'): Promise<string> {
    this.#peer.setLocalDescription(type);
    const sdp = await Promise.race([this.#described.promise, this.#failed()]);
    this.#local = readSdp(sdp);
    return writeSdp({ ...this.#local, candidates: [], maxMessageSize: limits.MESSAGE_BYTES });
  }

  /**
   * No packet may pass before this has returned: the library lets ICE begin before it has stored the description,
   * and where the handshake is quicker than that, it finds no fingerprint and fails. So candidates go either way
   * only then.
   */
  setRemote(facts: SdpFacts, type: 'offer' | 'answer'): void {
    if (type === 'answer' && facts.setup === 'actpass')
      throw new HoldfastError('ERR_PROTOCOL', 'unusable session description: setup');
    this.#peer.setRemoteDescription(writeSdp({ ...facts, candidates: [] }), type);
    this.#remote = facts;
    for (const candidate of [...facts.candidates, ...this.#early.splice(0)])
      this.#addCandidate(candidate);
    for (const candidate of this.#untold.splice(0)) this.#onCandidate(candidate);
  }

  face(sdp: string): PeerAttempt & WithPeer {
    return {
      peer: this.#peer,
      sdp,
      connection: this.#standing,
      addCandidate: ({ candidate }: IceCandidate) => {
        const text = readCandidate(candidate);
        if (text === undefined) return;
        // The library takes none before it has the description.
        if (this.#remote !== undefined) this.#addCandidate(text);
        else if (this.#early.length < limits.EARLY_CANDIDATES) this.#early.push(text);
      },
      abandon: this.abandon,
    };
  }

  readonly abandon = once(async () => {
    this.#connection.transportEnded({
      code: 'ERR_CLOSED',
      message: 'the connection was given up',
    });
    await this.#connection.close();
  });

  #tell(candidate: IceCandidate): void {
    if (this.#remote !== undefined) this.#onCandidate(candidate);
    else this.#untold.push(candidate);
  }

  #addCandidate(candidate: string): void {
    try {
      this.#peer.addRemoteCandidate(candidate, this.#remote?.mid ?? '0');
    } catch {
      // It cannot be used, or the connection has ended.
    }
  }

  async #failed(): Promise<never> {
    const { error } = await this.#connection.closed;
    throw new HoldfastError(error?.code ?? 'ERR_CLOSED', error?.message ?? 'given up');
  }

  /** RFC 8832 section 6: the DTLS client, which is `active`, has the even streams. */
  #parity(): 0 | 1 {
    const { setup } = this.#local ?? {};
    if (setup === 'active') return 0;
    if (setup === 'passive') return 1;
    return this.#remote?.setup === 'active' ? 1 : 0;
  }

  /**
   * What both ends sign. The library has verified that the other end holds the key of this certificate; it has no
   * exporter.
   * @throws {HoldfastError} ERR_PEER_AUTH.
   */
  #binding(): PeerBinding {
    const { value, algorithm } = this.#peer.remoteFingerprint();
    const localFingerprint = this.#local?.fingerprint;
    if (algorithm !== 'sha-256' || localFingerprint === undefined)
      throw new HoldfastError('ERR_PEER_AUTH', 'the certificate of the other end is not known');
    return { engine: 'native', localFingerprint, remoteFingerprint: value.toUpperCase() };
  }
}

/** Where there is only the loopback interface, the library finds no address unless it is told this one. */
function hasNetwork(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ internal }) => !internal),
  );
}
