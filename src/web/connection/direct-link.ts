import {
  deferred,
  HoldfastError,
  limits,
  wrapError,
  type ErrorRecord,
} from '../../shared/common/index.js';
import type { IceServer } from '../../shared/common/wire/index.js';
import { DataChannel } from './data-channel.js';
import type { Signalling } from './signalling.js';
import type { HandshakeBinding } from '../../shared/common/peer-auth/index.js';
import type { Link } from './types.js';

/**
 * Offers a WebRTC connection through `signalling` and resolves when its data channels work.
 * @throws {HoldfastError} ERR_PEER_TIMEOUT if there is no direct path within {@link RELAY_AFTER_MS},
 * ERR_PEER_LOST if the attempt fails earlier, ERR_CLOSED if `signal` aborts.
 */
export async function openDirectLink(
  signalling: Signalling,
  iceServers: readonly IceServer[],
  signal: AbortSignal,
): Promise<Link> {
  const peer = new RTCPeerConnection({ iceServers: iceServers.map(toRtcIceServer) });
  const gaveUp = deferred<never>();
  const fail = (error: HoldfastError): void => {
    gaveUp.reject(error);
  };
  // In the page an unhandled rejection is only noise, but it would look like a defect.
  gaveUp.promise.catch(() => undefined);
  const timer = setTimeout(() => {
    fail(new HoldfastError('ERR_PEER_TIMEOUT', 'no direct path to the agent'));
  }, limits.RELAY_AFTER_MS);
  const onAbort = (): void => {
    fail(new HoldfastError('ERR_CLOSED', 'connecting was given up'));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  let stopListening = (): void => undefined;
  try {
    const opened = deferred<undefined>();
    peer.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate === null || candidate.candidate === '') return;
      // The browser hides its own addresses behind names that only multicast DNS resolves. The agent
      // sees the true one in the first check that reaches it; looking for the name would only cost it.
      if (/ [^ ]+\.local /i.test(candidate.candidate)) return;
      const { sdpMid, sdpMLineIndex } = candidate;
      signalling.send({
        type: 'candidate',
        candidate: { candidate: candidate.candidate, sdpMid, sdpMLineIndex },
      });
    });
    peer.addEventListener('connectionstatechange', () => {
      if (peer.connectionState === 'connected') opened.resolve(undefined);
      if (peer.connectionState === 'failed') {
        fail(new HoldfastError('ERR_PEER_LOST', 'the direct path failed'));
      }
    });
    // Without a channel the offer would have no data section, and the first one is `control` anyway.
    const control = peer.createDataChannel('control', { protocol: 'control' });
    const link = new DirectLink(peer, control);
    stopListening = applyAnswers(peer, signalling, fail);
    await peer.setLocalDescription();
    signalling.send({ type: 'offer', sdp: peer.localDescription?.sdp ?? '' });
    const brokerFailed = signalling.ended.then((error) =>
      Promise.reject(new HoldfastError(error.code, error.message)),
    );
    await Promise.race([opened.promise, gaveUp.promise, brokerFailed]);
    return link;
  } catch (error) {
    stopListening();
    peer.close();
    throw wrapError(error, 'ERR_PEER_LOST', 'connecting directly');
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** Hands the agent's answer and candidates to `peer`, candidates never before the answer. */
function applyAnswers(
  peer: RTCPeerConnection,
  signalling: Signalling,
  fail: (error: HoldfastError) => void,
): () => void {
  let last: Promise<unknown> = Promise.resolve();
  return signalling.listen((message) => {
    if (message.type === 'answer') {
      last = last
        .then(() => peer.setRemoteDescription({ type: 'answer', sdp: message.sdp }))
        .catch((error: unknown) => {
          fail(wrapError(error, 'ERR_PROTOCOL', 'answer of the agent'));
        });
    } else if (message.type === 'candidate') {
      const { candidate, sdpMid = null, sdpMLineIndex = null } = message.candidate;
      // A candidate that this browser cannot use (an unknown transport, say) is no loss.
      last = last
        .then(() => peer.addIceCandidate({ candidate, sdpMid, sdpMLineIndex }))
        .catch(() => undefined);
    } else if (message.type === 'end') {
      fail(new HoldfastError('ERR_PEER_LOST', 'the agent ended the attempt'));
    }
  });
}

/** A connected RTCPeerConnection. Owns it and all its channels. */
class DirectLink implements Link {
  readonly kind = 'direct';
  readonly #peer: RTCPeerConnection;
  /** The channel of the offer, until somebody opens the control channel. */
  #control: RTCDataChannel | undefined;
  readonly #channels = new Set<DataChannel>();
  readonly #closed = deferred<ErrorRecord>();
  #isClosed = false;

  constructor(peer: RTCPeerConnection, control: RTCDataChannel) {
    this.#peer = peer;
    this.#control = control;
    peer.addEventListener('connectionstatechange', () => {
      const { connectionState } = peer;
      if (connectionState === 'failed' || connectionState === 'closed') {
        this.#end({ code: 'ERR_PEER_LOST', message: 'the direct connection was lost' });
      }
    });
  }

  get closed(): Promise<ErrorRecord> {
    return this.#closed.promise;
  }

  binding(): HandshakeBinding {
    return {
      engine: 'browser',
      localFingerprint: sdpFingerprint(this.#peer.localDescription?.sdp),
      remoteFingerprint: sdpFingerprint(this.#peer.remoteDescription?.sdp),
    };
  }

  openChannel({ label, protocol }: { label: string; protocol: string }): DataChannel {
    if (this.#isClosed) throw new HoldfastError('ERR_PEER_LOST', 'the connection has ended');
    let inner: RTCDataChannel;
    if (protocol === 'control' && this.#control !== undefined) {
      inner = this.#control;
      this.#control = undefined;
    } else {
      try {
        inner = this.#peer.createDataChannel(label, { protocol });
      } catch (error) {
        throw wrapError(error, 'ERR_PEER_LOST', 'opening a channel');
      }
    }
    const channel = new DataChannel(inner);
    this.#channels.add(channel);
    inner.addEventListener('close', () => this.#channels.delete(channel));
    return channel;
  }

  close(): void {
    this.#peer.close();
    this.#end({ code: 'ERR_CLOSED', message: 'the connection was closed here' });
  }

  #end(error: ErrorRecord): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#peer.close();
    this.#closed.resolve(error);
    for (const channel of this.#channels) channel.finish({ type: 'lost' });
    this.#channels.clear();
  }
}

/** The SHA-256 fingerprint that a session description states (RFC 8122), upper-case hex with colons. */
function sdpFingerprint(sdp: string | undefined): string {
  const found = /^a=fingerprint:sha-256 ([0-9A-F:]{95})\s*$/im.exec(sdp ?? '');
  if (found?.[1] === undefined) {
    throw new HoldfastError('ERR_PEER_AUTH', 'a session description without SHA-256 fingerprint');
  }
  return found[1].toUpperCase();
}

function toRtcIceServer({ urls, username, credential }: IceServer): RTCIceServer {
  return {
    urls,
    ...(username === undefined ? {} : { username }),
    ...(credential === undefined ? {} : { credential }),
  };
}
