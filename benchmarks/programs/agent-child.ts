/**
 * Program: a real agent that nobody but the local socket reaches. Its terminals are on workers, on workers
 * without a memory of their screens, or on main.
 */
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { startAgent, type Agent } from '../../src/main/agent/index.js';
import { deferred, silentLogger } from '../../src/shared/common/index.js';
import { serveProgram } from '../harness/index.js';
import { MainThreadPool } from './main-thread-pool.js';
import { createUntrackedPool } from './untracked-pool.js';

export interface AgentParams {
  readonly stateDir: string;
  readonly terminals: 'workers' | 'untracked' | 'main';
}

/** Delays of the main loop's timers beyond their time, in ms. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const RESOLUTION_MS = 1;
/** As many as an agent has by itself on a machine with two cores. */
const UNTRACKED_WORKERS = 2;
let agent: Agent | undefined;
let delays: IntervalHistogram | undefined;

const methods = {
  start: async ({ stateDir, terminals }: AgentParams) => {
    agent = await startAgent({
      stateDir,
      logger: silentLogger,
      shell: '/bin/sh',
      directory: '/',
      // A broker that never answers: all that is measured goes over the local socket.
      dialer: async ({ signal }) => {
        const aborted = deferred<never>();
        signal.addEventListener('abort', () => {
          aborted.reject(signal.reason);
        });
        return await aborted.promise;
      },
      terminalPool:
        terminals === 'main'
          ? new MainThreadPool()
          : terminals === 'untracked'
            ? createUntrackedPool(UNTRACKED_WORKERS)
            : undefined,
    });
    return { socket: agent.localSocket, hostKey: agent.sshHostKey };
  },

  watchLoop: async (_: object) => {
    delays?.disable();
    delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delays.enable();
  },

  /** Since `watchLoop`. */
  loopDelay: async (_: object): Promise<LoopDelay> => {
    const read = (percentile: number): number =>
      // It records the time between two timers, which is their interval plus the delay.
      Math.max(0, (delays?.percentile(percentile) ?? 0) / 1e6 - RESOLUTION_MS);
    const result = { p50: read(50), p99: read(99), max: read(100) };
    delays?.disable();
    return result;
  },
};

export type AgentMethods = typeof methods;

serveProgram(methods, async () => {
  await agent?.close();
});
