import { assertNever, limits } from '../../shared/common/index.js';
import type { IceCandidate, IceServer } from '../../shared/common/wire/index.js';
import {
  answerWerift,
  dialFramedWebSocket,
  framedOverFd,
  type PeerConnection,
  type PeerTask,
  type WeriftAttempt,
} from '../../shared/node/peer/index.js';
import { dialNativeHost } from './dial-native-host.js';

/** What a connection that is being set up says to the other end. */
export interface EstablishOptions {
  readonly answer: (sdp: string) => void;
  readonly candidate: (candidate: IceCandidate) => void;
}

/** A connection on its way. */
export interface Establishing {
  /** Rejects if it cannot be set up in time, or was abandoned. */
  readonly connection: Promise<PeerConnection>;
  addCandidate(candidate: IceCandidate): void;
  /** Gives up; does nothing once the connection stands. */
  abandon(): void;
}

/** Sets up the connection that `task` is about. */
export function establish(task: PeerTask, options: EstablishOptions): Establishing {
  const { source } = task;
  switch (source.kind) {
    case 'socket':
      return {
        connection: Promise.resolve(
          framedOverFd(source.fd, { role: 'server', heartbeatMs: task.heartbeatMs }),
        ),
        addCandidate: () => undefined,
        abandon: () => undefined,
      };
    case 'relay':
      return {
        // The broker pairs this WebSocket with the client's.
        ...dialFramedWebSocket({
          url: source.url,
          headers: source.headers,
          role: 'server',
          heartbeatMs: task.heartbeatMs,
        }),
        addCandidate: () => undefined,
      };
    case 'webrtc':
      return establishWebRtc(source.sdp, source.iceServers, options, task.heartbeatMs);
    case 'native':
      return { ...dialNativeHost(source, task.heartbeatMs), addCandidate: () => undefined };
    default:
      return assertNever(source);
  }
}

/** Answers the client's offer. Candidates that come before werift has read it are kept. */
function establishWebRtc(
  sdp: string,
  iceServers: readonly IceServer[],
  { answer, candidate }: EstablishOptions,
  heartbeatMs: number | undefined,
): Establishing {
  const early: IceCandidate[] = [];
  let attempt: WeriftAttempt | undefined;
  let isAbandoned = false;
  const start = async (): Promise<PeerConnection> => {
    attempt = await answerWerift(sdp, { iceServers, onCandidate: candidate, heartbeatMs });
    if (isAbandoned) void attempt.abandon();
    else answer(attempt.sdp);
    for (const each of early.splice(0)) attempt.addCandidate(each);
    return await attempt.connection;
  };
  return {
    connection: start(),
    addCandidate: (each) => {
      if (attempt !== undefined) attempt.addCandidate(each);
      else if (early.length < limits.EARLY_CANDIDATES) early.push(each);
    },
    abandon: () => {
      isAbandoned = true;
      void attempt?.abandon();
    },
  };
}
