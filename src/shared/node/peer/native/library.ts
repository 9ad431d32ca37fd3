import { HoldfastError, limits } from '../../../common/index.js';

/** The release that this engine was measured against; see ADR 0037 for what it works around. */
export const NATIVE_VERSION = '0.33.4';

/**
 * What this engine uses of a data channel of node-datachannel. The object must be kept alive by whoever uses
 * it: once it is collected, its channel is closed.
 */
export interface NativeChannel {
  getId(): number;
  getLabel(): string;
  getProtocol(): string;
  isOpen(): boolean;
  /** False: it waits in the library's own queue, and `onBufferedAmountLow` tells when that is empty. */
  sendMessageBinary(bytes: Uint8Array): boolean;
  /** The same for a text message. */
  sendMessage(text: string): boolean;
  bufferedAmount(): number;
  onOpen(callback: () => void): void;
  onMessage(callback: (message: string | Buffer | ArrayBuffer) => void): void;
  onBufferedAmountLow(callback: () => void): void;
  /** What the library holds for the channel, and the process with it, is let go after this callback. */
  onClosed(callback: () => void): void;
  close(): void;
}

/** The same of a peer connection. */
export interface NativePeer {
  setLocalDescription(type: 'offer' | 'answer'): void;
  setRemoteDescription(sdp: string, type: 'offer' | 'answer'): void;
  localDescription(): { readonly sdp: string } | null;
  remoteFingerprint(): { readonly value: string; readonly algorithm: string };
  addRemoteCandidate(candidate: string, mid: string): void;
  createDataChannel(
    label: string,
    config: { readonly protocol?: string; readonly negotiated?: boolean; readonly id: number },
  ): NativeChannel;
  state(): string;
  bytesReceived(): number;
  /** SCTP's smoothed round trip, in ms. Negative: not known. */
  rtt(): number;
  onLocalDescription(callback: (sdp: string, type: string) => void): void;
  onLocalCandidate(callback: (candidate: string, mid: string) => void): void;
  onIceStateChange(callback: (state: string) => void): void;
  onStateChange(callback: (state: string) => void): void;
  onDataChannel(callback: (channel: NativeChannel) => void): void;
  close(): void;
}

/** A STUN or TURN server as the library takes it. */
export interface NativeIceServer {
  readonly hostname: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly relayType?: 'TurnUdp' | 'TurnTcp' | 'TurnTls';
}

export interface NativeConfig {
  readonly iceServers: readonly NativeIceServer[];
  readonly bindAddress?: string;
  readonly mtu: number;
  readonly maxMessageSize: number;
  readonly disableAutoNegotiation: boolean;
}

export interface NativeLibrary {
  readonly PeerConnection: new (name: string, config: NativeConfig) => NativePeer;
  setSctpSettings(settings: { readonly sendBufferSize: number }): void;
}

let loading: Promise<NativeLibrary> | undefined;

/**
 * Loads node-datachannel, which is an optional dependency. Its threads start with the first connection and
 * stay until the process ends.
 * @throws {HoldfastError} ERR_ENGINE_UNAVAILABLE.
 */
export function loadNative(): Promise<NativeLibrary> {
  loading ??= load();
  return loading;
}

/** Whether {@link loadNative} succeeds here; loads it to find out. */
export async function isNativeAvailable(): Promise<boolean> {
  try {
    await loadNative();
    return true;
  } catch {
    return false;
  }
}

async function load(): Promise<NativeLibrary> {
  let library: NativeLibrary;
  try {
    library = (await import('node-datachannel')) as unknown as NativeLibrary;
  } catch (error) {
    throw new HoldfastError(
      'ERR_ENGINE_UNAVAILABLE',
      'the native WebRTC engine cannot be loaded: node-datachannel is missing or not for this platform',
      { cause: error },
    );
  }
  // SCTP's own queue, of what waits and what is not acknowledged, which nobody else can bound.
  library.setSctpSettings({ sendBufferSize: limits.NATIVE_SEND_BYTES });
  return library;
}
