/**
 * Program: a real agent, reached over its local socket and, if there is one, over a broker. Its terminals are on
 * workers, on workers without a memory of their screens, or on main.
 */
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  startAgent,
  type Agent,
  type AgentOptions,
  type Dialer,
} from '../../src/main/agent/index.js';
import { deferred, silentLogger } from '../../src/shared/common/index.js';
import { serveProgram, type Engine } from '../harness/index.js';
import { MainThreadPool } from './main-thread-pool.js';
import { createUntrackedPool } from './untracked-pool.js';

export interface AgentParams {
  readonly stateDir: string;
  readonly terminals: 'workers' | 'untracked' | 'main';
  /** Absent: one that never answers. */
  readonly broker?: { readonly url: string; readonly token: string } | undefined;
  readonly options?: Partial<
    Pick<
      AgentOptions,
      'peerWorkers' | 'sshListen' | 'authorizedKeys' | 'motd' | 'shell' | 'maxTerminalsPerSubject'
    >
  >;
  /** Engine for data channels, where the agent has a choice. */
  readonly webrtc?: Engine | undefined;
}

/** Delays of the main loop's timers beyond their time, in ms. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const RESOLUTION_MS = 1;
const POLL_MS = 5;
/** As many as an agent has by itself on a machine with two cores. */
const UNTRACKED_WORKERS = 2;
let agent: Agent | undefined;
let delays: IntervalHistogram | undefined;

/** A broker that never answers. */
const hangingDialer: Dialer = async ({ signal }) => {
  const aborted = deferred<never>();
  signal.addEventListener('abort', () => {
    aborted.reject(signal.reason);
  });
  return await aborted.promise;
};

async function connected(started: Agent): Promise<void> {
  while (started.dialState !== 'connected') await sleep(POLL_MS);
}

const methods = {
  start: async ({ stateDir, terminals, broker, options = {}, webrtc }: AgentParams) => {
    const engine: object = webrtc === undefined ? {} : { webrtc };
    agent = await startAgent({
      stateDir,
      logger: silentLogger,
      shell: '/bin/sh',
      directory: '/',
      ...(broker === undefined ? { dialer: hangingDialer } : { broker }),
      ...options,
      ...engine,
      terminalPool:
        terminals === 'main'
          ? new MainThreadPool()
          : terminals === 'untracked'
            ? createUntrackedPool(UNTRACKED_WORKERS)
            : undefined,
    });
    if (broker !== undefined) await connected(agent);
    return { socket: agent.localSocket, hostKey: agent.sshHostKey, sshPort: agent.sshPort };
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
