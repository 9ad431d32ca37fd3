import { isAbsolute } from 'node:path';
import {
  HoldfastError,
  limits,
  systemClock,
  type Clock,
  type Logger,
} from '../../shared/common/index.js';
import type { WebRtcChoice } from '../../shared/node/peer/index.js';
import type { Dialer } from './dial/types.js';
import type { ForwardingOptions } from './forwarding/index.js';
import type { TaskPool } from './worker-pool/index.js';

export interface AgentOptions {
  /** Reaches the broker. Absent: `broker` says where it is. */
  readonly dialer?: Dialer | undefined;
  /** Origin of the broker, and the agent token of the workspace. */
  readonly broker?: { readonly url: string; readonly token: string } | undefined;
  /** The agent's own folder, 0700: keys, pins, sockets, the startup script's log. */
  readonly stateDir: string;
  readonly logger: Logger;
  /** Program that sessions run. Absent: the user's login shell. */
  readonly shell?: string | undefined;
  /** Where sessions start. Absent: as the metadata say, else the home directory. */
  readonly directory?: string | undefined;
  /** Node and CLI script, for `GIT_SSH_COMMAND`. Absent: Git uses its own ssh. */
  readonly gitSshCommand?: readonly string[] | undefined;
  /** Lines of authorized_keys that SSH clients must match on top. Absent: a verified peer is enough. */
  readonly authorizedKeys?: readonly string[] | undefined;
  /**
   * Where to take SSH clients by TCP, without a broker; they have all rights of the owner. Needs authorized keys.
   * Absent: nowhere.
   */
  readonly sshListen?: { readonly host: string; readonly port: number } | undefined;
  /** File whose text SSH clients are shown before they log in. Absent: none. */
  readonly sshBanner?: string | undefined;
  /**
   * File that a shell of an SSH client with a terminal begins with, unless the user has a `~/.hushlogin`; it
   * need not exist. `false`: none. Default /etc/motd.
   */
  readonly motd?: string | false | undefined;
  /** Lets programs show on the displays of SSH clients that offer it. Default false. */
  readonly x11Forwarding?: boolean | undefined;
  /** A host key that lives only as long as the agent, as the original's. */
  readonly ephemeralHostKey?: boolean | undefined;
  readonly forwarding?: ForwardingOptions | undefined;
  /** Replay of each terminal, in bytes. Default 64 KiB. */
  readonly ringBytes?: number | undefined;
  /** Life of a terminal with nobody attached, in ms; 0: for ever. Defaults 24 h and 5 min. */
  readonly terminalIdleMs?: number | undefined;
  readonly reconnectingPtyIdleMs?: number | undefined;
  /** How long an exited terminal can still be looked at, in ms; 0: not at all. Default 10 min. */
  readonly exitedKeepMs?: number | undefined;
  readonly maxTerminals?: number | undefined;
  /** Of these, how many one subject may have. Default {@link limits.TERMINALS_PER_SUBJECT}. */
  readonly maxTerminalsPerSubject?: number | undefined;
  /** What all recordings, and what a single one, may take on disk, in bytes. Defaults 1 GiB and 256 MiB. */
  readonly recordingQuotaBytes?: number | undefined;
  readonly recordingBytes?: number | undefined;
  /** Threads of each pool. Default 2. */
  readonly terminalWorkers?: number | undefined;
  readonly peerWorkers?: number | undefined;
  /**
   * What carries WebRTC. `native` runs in a child process; `auto` is that where it can be loaded, else `werift`.
   * Default `werift`.
   */
  readonly webrtc?: WebRtcChoice | undefined;
  /** How often a worker must show that it lives, in ms. Default 15 s. */
  readonly workerBeatMs?: number | undefined;
  /** Opens the door through which tests kill workers. Default false. */
  readonly faultDoor?: boolean | undefined;
  /** Where to serve `/metrics` and `/healthz`. Absent: nowhere. */
  readonly metrics?: { readonly host: string; readonly port: number } | undefined;
  readonly clock?: Clock | undefined;
  /**
   * Runs the terminals in place of worker threads; only benchmarks do, to measure what the threads buy.
   * The agent closes it.
   */
  readonly terminalPool?: TaskPool | undefined;
}

type Defaulted =
  | 'ephemeralHostKey'
  | 'forwarding'
  | 'ringBytes'
  | 'terminalIdleMs'
  | 'reconnectingPtyIdleMs'
  | 'exitedKeepMs'
  | 'maxTerminals'
  | 'maxTerminalsPerSubject'
  | 'recordingQuotaBytes'
  | 'recordingBytes'
  | 'terminalWorkers'
  | 'peerWorkers'
  | 'webrtc'
  | 'workerBeatMs'
  | 'faultDoor'
  | 'motd'
  | 'clock';

/** Options with all defaults filled in; frozen. */
export type ResolvedAgentOptions = Omit<AgentOptions, Defaulted> & {
  readonly [Name in Defaulted]: NonNullable<AgentOptions[Name]>;
};

const DEFAULT_WORKERS = 2;

/** @throws {HoldfastError} ERR_INVALID_ARGUMENT naming the option; ERR_CONFIG for an ssh listener without keys. */
export function resolveAgentOptions(options: AgentOptions): ResolvedAgentOptions {
  if ((options.dialer === undefined) === (options.broker === undefined)) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', 'give either dialer or broker');
  }
  if (!isAbsolute(options.stateDir)) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', 'stateDir must be an absolute path');
  }
  if (options.sshListen !== undefined && (options.authorizedKeys ?? []).length === 0) {
    throw new HoldfastError('ERR_CONFIG', 'the ssh listener needs authorized keys', {
      hint: 'Name a file of public keys with --authorized-keys.',
    });
  }
  const number = (name: keyof AgentOptions, fallback: number, min: number, max: number): number => {
    const value = options[name] ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
      return value;
    }
    throw new HoldfastError(
      'ERR_INVALID_ARGUMENT',
      `${name} must be a whole number from ${String(min)} to ${String(max)}`,
    );
  };
  const tebibyte = 2 ** 40;
  return Object.freeze({
    ...options,
    ephemeralHostKey: options.ephemeralHostKey ?? false,
    forwarding: options.forwarding ?? {},
    ringBytes: number('ringBytes', limits.RING_BYTES, limits.RING_MIN_BYTES, limits.RING_MAX_BYTES),
    terminalIdleMs: number('terminalIdleMs', limits.TERMINAL_IDLE_MS, 0, limits.IDLE_MAX_MS),
    reconnectingPtyIdleMs: number(
      'reconnectingPtyIdleMs',
      limits.RPTY_IDLE_MS,
      0,
      limits.IDLE_MAX_MS,
    ),
    exitedKeepMs: number('exitedKeepMs', limits.EXITED_KEPT_MS, 0, limits.IDLE_MAX_MS),
    maxTerminals: number('maxTerminals', limits.MAX_TERMINALS, 1, limits.MAX_TERMINALS),
    maxTerminalsPerSubject: number(
      'maxTerminalsPerSubject',
      limits.TERMINALS_PER_SUBJECT,
      1,
      limits.MAX_TERMINALS,
    ),
    recordingQuotaBytes: number('recordingQuotaBytes', limits.RECORDING_QUOTA_BYTES, 0, tebibyte),
    recordingBytes: number('recordingBytes', limits.RECORDING_BYTES, 0, tebibyte),
    terminalWorkers: number('terminalWorkers', DEFAULT_WORKERS, 1, 64),
    peerWorkers: number('peerWorkers', DEFAULT_WORKERS, 1, 64),
    webrtc: options.webrtc ?? 'werift',
    workerBeatMs: number('workerBeatMs', limits.WORKER_BEAT_MS, 100, 600_000),
    faultDoor: options.faultDoor ?? false,
    motd: options.motd ?? '/etc/motd',
    clock: options.clock ?? systemClock,
  });
}
