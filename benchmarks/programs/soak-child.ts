/** Program: a real agent that nobody but the local socket reaches, and how late its main loop is. */
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { startAgent, type Agent } from '../../src/main/agent/index.js';
import { deferred, silentLogger } from '../../src/shared/common/index.js';
import { serveProgram } from '../harness/index.js';

/** How late timers of the main loop fired, in ms. */
export interface Lateness {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const RESOLUTION_MS = 5;
let agent: Agent | undefined;
let delays: IntervalHistogram | undefined;

const methods = {
  start: async ({ stateDir }: { readonly stateDir: string }) => {
    agent = await startAgent({
      stateDir,
      logger: silentLogger,
      shell: '/bin/sh',
      directory: '/',
      // A broker that never answers: all of the load goes over the local socket.
      dialer: async ({ signal }) => {
        const aborted = deferred<never>();
        signal.addEventListener('abort', () => {
          aborted.reject(signal.reason);
        });
        return await aborted.promise;
      },
    });
    return { socket: agent.localSocket };
  },

  watch: async (_: object) => {
    delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delays.enable();
  },

  /** Since `watch`. */
  lateness: async (_: object): Promise<Lateness> => {
    // The histogram has the time between two timers, which is their interval and the delay.
    const late = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    if (delays === undefined) throw new Error('nobody has watched');
    delays.disable();
    const { max } = delays;
    return { p50: late(delays.percentile(50)), p99: late(delays.percentile(99)), max: late(max) };
  },
};

export type SoakMethods = typeof methods;

serveProgram(methods, async () => {
  await agent?.close();
});
