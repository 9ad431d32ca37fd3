import type { LogLevel } from '../../../shared/common/index.js';
import type { ListenAddress } from '../config/index.js';

/** How a service logs to standard error. */
export interface LogSettings {
  readonly level: LogLevel;
  /** Absent: human on a terminal, else JSON. */
  readonly format: 'human' | 'json' | undefined;
}

/** What a broker needs. Plain data: it also travels to a child process. */
export interface BrokerSettings {
  readonly stateDir: string;
  readonly listen: ListenAddress;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly insecureListen: boolean;
  readonly publicUrl: string | undefined;
  readonly stun: readonly string[];
  readonly turn: { readonly urls: readonly string[]; readonly secretFile: string } | undefined;
  readonly log: LogSettings;
}

/** What an agent needs. Plain data: it also travels to a child process. */
export interface AgentSettings {
  readonly stateDir: string;
  readonly brokerUrl: string;
  /** The agent token of the workspace. */
  readonly token: string;
  readonly shell: string | undefined;
  readonly directory: string | undefined;
  readonly ringBytes: number;
  readonly terminalIdleMs: number;
  readonly reconnectingPtyIdleMs: number;
  readonly exitedKeepMs: number;
  readonly maxTerminalsPerSubject: number;
  readonly recordingQuota: number;
  readonly recordingBytes: number;
  readonly webrtc: 'werift' | 'native' | 'auto';
  readonly workerBeatMs: number;
  readonly authorizedKeys: string | undefined;
  readonly sshListen: ListenAddress | undefined;
  readonly sshBanner: string | undefined;
  readonly x11Forwarding: boolean;
  readonly motd: string | false;
  /** Absent: the agent's own rules. */
  readonly allowForward: readonly string[] | undefined;
  readonly gatewayPorts: boolean;
  readonly ephemeralHostKey: boolean;
  readonly faultDoor: boolean;
  readonly metricsListen: ListenAddress | undefined;
  readonly log: LogSettings;
}
