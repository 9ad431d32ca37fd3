import type { MessagePort } from 'node:worker_threads';
import type { ErrorRecord, LogRecord } from '../../common/index.js';
import type { IceCandidate, IceServer } from '../../common/wire/index.js';
import type { FaultKind, PortHandle } from '../ports/index.js';
import type { PeerBinding, PeerEnd } from './types.js';

/** One connection for a peer worker: a task of the pool, pending as long as the connection lives. */
export interface PeerTask {
  readonly source: PeerSource;
  /** Carries {@link PeerCommand}s to the worker and {@link PeerEvent}s back. */
  readonly port: MessagePort;
  /** Absent: the usual one. */
  readonly heartbeatMs?: number | undefined;
  /** Channels that the peer may have open at a time. Absent: what the engine allows. */
  readonly maxChannels?: number | undefined;
}

/** Where the bytes of the connection come from. */
export type PeerSource =
  | { readonly kind: 'webrtc'; readonly sdp: string; readonly iceServers: readonly IceServer[] }
  | {
      readonly kind: 'relay';
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  /** A connection of the native host, behind its socket. */
  | {
      readonly kind: 'native';
      readonly path: string;
      readonly token: string;
      readonly binding: PeerBinding;
    }
  /** A descriptor that belongs to the worker from now on. */
  | { readonly kind: 'socket'; readonly fd: number };

/** Main to worker. */
export type PeerCommand =
  | { readonly type: 'candidate'; readonly candidate: IceCandidate }
  /** The peer is known: hand over the channels it opens. */
  | { readonly type: 'authenticated' }
  /** Say goodbye and end. Absent error: on purpose. */
  | { readonly type: 'close'; readonly error?: ErrorRecord | undefined }
  /** End all channels but the control channel, with what waits in them; `close` follows. */
  | { readonly type: 'expel'; readonly error: ErrorRecord }
  /** The peer may have gone: look now, rather than at the next heartbeats. */
  | { readonly type: 'probe' }
  /** For tests; obeyed only where the pool was started with faults. */
  | { readonly type: 'fault'; readonly kind: FaultKind };

/** Worker to main. */
export type PeerEvent =
  | { readonly type: 'answer'; readonly sdp: string }
  | { readonly type: 'candidate'; readonly candidate: IceCandidate }
  /** The connection stands; nobody has proved anything yet. */
  | { readonly type: 'connected'; readonly binding: PeerBinding }
  /** The port is transferred. Before `authenticated` this is the control channel and nothing else. */
  | {
      readonly type: 'channel';
      readonly label: string;
      readonly protocol: string;
      readonly handle: PortHandle;
    }
  | { readonly type: 'log'; readonly record: LogRecord }
  /** Last event. In-band, since the result of a task overtakes what its port carries. */
  | { readonly type: 'ended'; readonly end: PeerEnd };
