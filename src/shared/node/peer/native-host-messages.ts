import type { ErrorRecord } from '../../common/index.js';
import type { IceCandidate, IceServer } from '../../common/wire/index.js';
import type { PeerBinding, PeerEnd } from './types.js';

/**
 * Between the agent's main thread and the native host, over the channel of a forked process. `id` counts connections;
 * what is said of one that has ended is ignored.
 */
export type HostCommand =
  /** Answer this offer. Whoever connects to the host's socket and says `token` first gets its channels. */
  | {
      readonly type: 'offer';
      readonly id: number;
      readonly token: string;
      readonly sdp: string;
      readonly iceServers: readonly IceServer[];
      readonly heartbeatMs?: number | undefined;
    }
  | { readonly type: 'candidate'; readonly id: number; readonly candidate: IceCandidate }
  /** The peer may have gone: look now. */
  | { readonly type: 'probe'; readonly id: number }
  /** End all channels but the control channel, with what waits in them. */
  | { readonly type: 'expel'; readonly id: number; readonly error: ErrorRecord }
  /** Give the connection up. */
  | { readonly type: 'close'; readonly id: number }
  /** Say that you live. */
  | { readonly type: 'beat' };

/** The other way. */
export type HostEvent =
  /** The library is loaded, and the socket takes connections. First event. */
  | { readonly type: 'ready' }
  /** The library cannot be loaded; the host ends. First and last event. */
  | { readonly type: 'unavailable'; readonly error: ErrorRecord }
  | { readonly type: 'answer'; readonly id: number; readonly sdp: string }
  | { readonly type: 'candidate'; readonly id: number; readonly candidate: IceCandidate }
  /** The connection stands and waits for whoever says its token. */
  | { readonly type: 'connected'; readonly id: number; readonly binding: PeerBinding }
  /** Last event of a connection. */
  | { readonly type: 'ended'; readonly id: number; readonly end: PeerEnd }
  | { readonly type: 'beat' };

/** Characters of a token: 32 random bytes in hex, sent as they are. */
export const HOST_TOKEN_LENGTH = 64;
