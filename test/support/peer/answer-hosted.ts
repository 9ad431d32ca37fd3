import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NativeHost } from '../../../src/main/agent/peers/native-host.js';
import { deferred, limits, silentLogger, systemClock } from '../../../src/shared/common/index.js';
import type {
  PeerAttempt,
  PeerConnection,
  PeerEnd,
  WebRtcOptions,
} from '../../../src/shared/node/peer/index.js';
import { dialNativeHost } from '../../../src/workers/peer/dial-native-host.js';

/**
 * Answers an offer as an agent with the native engine does: in a child process, whose channels come over a unix
 * socket. What a peer worker and main have of it is put together here.
 */
export async function answerHosted(
  sdp: string,
  { iceServers, onCandidate, heartbeatMs }: WebRtcOptions,
): Promise<PeerAttempt> {
  const host = new NativeHost({
    path: join(tmpdir(), `holdfast-host-${randomUUID()}`),
    clock: systemClock,
    logger: silentLogger,
    beatMs: limits.WORKER_BEAT_MS,
    heartbeatMs,
  });
  await host.start();
  const answer = deferred<string>();
  const standing = deferred<PeerConnection>();
  const ended = deferred<PeerEnd>();
  const hosted = host.accept(
    { sdp, iceServers },
    {
      answer: answer.resolve,
      candidate: onCandidate,
      connected: (source) => {
        if (source.kind !== 'native') throw new Error('not of the host');
        dialNativeHost(source, heartbeatMs).connection.then(standing.resolve, standing.reject);
      },
      ended: ended.resolve,
    },
  );
  const connection = standing.promise.then((inner) => ({
    ...inner,
    // As a session of the agent puts it together.
    closed: Promise.all([inner.closed, ended.promise]).then(([there, end]) =>
      end.error === undefined ? there : end,
    ),
    close: async () => {
      await inner.close();
      await ended.promise;
      await host.close();
    },
  }));
  return {
    sdp: await answer.promise,
    connection,
    addCandidate: (candidate) => {
      hosted.addCandidate(candidate);
    },
    abandon: async () => {
      hosted.close();
      await host.close();
    },
  };
}
