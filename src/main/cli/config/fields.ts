import { LOG_LEVELS, limits } from '../../../shared/common/index.js';
import {
  brokerUrl,
  duration,
  durationWithin,
  flag,
  integer,
  list,
  listenAddress,
  oneOf,
  path,
  pathOrNone,
  text,
  type Parse,
} from './parse.js';

/** Default port of `holdfast up` and `holdfast broker`. */
export const DEFAULT_PORT = 7420;

/** One setting: its four names, its meaning, and how its value is read. */
export interface Field<T> {
  /** As commander writes it: `--port <number>`. Absent: it has no flag. */
  readonly flag?: string;
  readonly env?: string;
  /** Key in the config file. Absent: it cannot stand there. */
  readonly key?: string;
  /** One line, for `--help` and docs/configuration.md. */
  readonly meaning: string;
  readonly parse: Parse<T>;
  /** What holds when nobody says anything, in words. Absent: nothing, the setting stays unset. */
  readonly defaultText?: string;
  /** The flag may be given several times; the values add up. */
  readonly repeats?: true;
}

interface WithDefault<T> extends Field<T> {
  readonly defaultValue: T;
}

function field<T>(definition: Field<T>): Field<T> {
  return definition;
}

function withDefault<T>(definition: WithDefault<T>): WithDefault<T> {
  return { defaultText: String(definition.defaultValue), ...definition };
}

/**
 * Every setting of Holdfast: the one source for flags, environment, config file, `--help` and
 * docs/configuration.md, which a test holds against this table.
 */
export const FIELDS = {
  configDir: field({
    flag: '--config-dir <dir>',
    env: 'HOLDFAST_CONFIG_DIR',
    meaning: 'Folder with config.json: which broker, and the login.',
    parse: path,
    defaultText:
      '$XDG_CONFIG_HOME/holdfast or ~/.config/holdfast; if there is no login there, the one that `holdfast up` keeps in its state folder',
  }),
  logLevel: field({
    flag: '--log-level <level>',
    env: 'HOLDFAST_LOG_LEVEL',
    key: 'logLevel',
    meaning: 'Least weighty records to write to stderr: error, warn, info or debug.',
    parse: oneOf(LOG_LEVELS),
    defaultText: 'info for broker and agent, else warn',
  }),
  logFormat: withDefault<'auto' | 'human' | 'json'>({
    flag: '--log-format <format>',
    env: 'HOLDFAST_LOG_FORMAT',
    key: 'logFormat',
    meaning: 'How log records look: human, json, or auto (human on a terminal).',
    parse: oneOf(['auto', 'human', 'json']),
    defaultValue: 'auto',
  }),
  stateDir: field({
    flag: '--state-dir <dir>',
    env: 'HOLDFAST_STATE_DIR',
    key: 'stateDir',
    meaning: 'Folder for keys, the store and sockets. Only its owner may enter it.',
    parse: path,
    defaultText:
      '$XDG_STATE_HOME/holdfast or ~/.local/state/holdfast; of that the folder `broker` or `agent` where one runs alone',
  }),

  brokerUrl: field({
    flag: '--broker <url>',
    env: 'HOLDFAST_BROKER_URL',
    key: 'brokerUrl',
    meaning: 'Address of the broker.',
    parse: brokerUrl,
  }),
  token: field({
    env: 'HOLDFAST_TOKEN',
    key: 'token',
    meaning: 'The token itself. Taken out of the environment before any child starts.',
    parse: text,
  }),
  tokenFile: field({
    flag: '--token-file <file>',
    env: 'HOLDFAST_TOKEN_FILE',
    key: 'tokenFile',
    meaning: 'File with the token, readable by its owner alone.',
    parse: path,
  }),
  tokenFd: field({
    flag: '--token-fd <number>',
    meaning: 'Open file descriptor to read the token from.',
    parse: integer(0, 1_048_576),
  }),
  engine: withDefault<'auto' | 'direct' | 'relay'>({
    flag: '--engine <name>',
    env: 'HOLDFAST_ENGINE',
    key: 'engine',
    meaning: 'How to connect: auto, direct (WebRTC only) or relay (through the broker only).',
    parse: oneOf(['auto', 'direct', 'relay']),
    defaultValue: 'auto',
  }),
  webrtc: withDefault<'werift' | 'native' | 'auto'>({
    flag: '--webrtc <engine>',
    env: 'HOLDFAST_WEBRTC',
    key: 'webrtc',
    meaning:
      'What carries WebRTC: werift, native (libdatachannel: several times as fast), or auto (native where it can be loaded).',
    parse: oneOf(['werift', 'native', 'auto']),
    defaultValue: 'werift',
  }),
  connectTimeout: withDefault({
    flag: '--connect-timeout <time>',
    env: 'HOLDFAST_CONNECT_TIMEOUT',
    key: 'connectTimeout',
    meaning: 'How long to wait for the other end before giving up.',
    parse: duration,
    defaultValue: 20_000,
    defaultText: '20s',
  }),

  host: withDefault({
    flag: '--host <address>',
    env: 'HOLDFAST_HOST',
    key: 'host',
    meaning: 'Address that `holdfast up` listens on. Only loopback addresses are taken.',
    parse: text,
    defaultValue: '127.0.0.1',
  }),
  port: withDefault({
    flag: '--port <number>',
    env: 'HOLDFAST_PORT',
    key: 'port',
    meaning: 'Port that `holdfast up` listens on; 0 takes a free one.',
    parse: integer(0, 65_535),
    defaultValue: DEFAULT_PORT,
  }),
  readyFile: field({
    flag: '--ready-file <file>',
    env: 'HOLDFAST_READY_FILE',
    meaning: 'File that `holdfast up` writes, as JSON, once everything works.',
    parse: path,
  }),
  open: field({
    flag: '--open',
    env: 'HOLDFAST_OPEN',
    key: 'open',
    meaning: 'Open the link in the browser; --no-open does not.',
    parse: flag,
    defaultText: 'yes on a terminal of a desktop',
  }),

  listen: withDefault({
    flag: '--listen <host:port>',
    env: 'HOLDFAST_LISTEN',
    key: 'listen',
    meaning: 'Address that the broker listens on.',
    parse: listenAddress,
    defaultValue: Object.freeze({ host: '127.0.0.1', port: DEFAULT_PORT }),
    defaultText: `127.0.0.1:${String(DEFAULT_PORT)}`,
  }),
  tlsCert: field({
    flag: '--tls-cert <file>',
    env: 'HOLDFAST_TLS_CERT',
    key: 'tlsCert',
    meaning: 'Certificate chain of the broker, in PEM.',
    parse: path,
  }),
  tlsKey: field({
    flag: '--tls-key <file>',
    env: 'HOLDFAST_TLS_KEY',
    key: 'tlsKey',
    meaning: 'Private key of that certificate, in PEM.',
    parse: path,
  }),
  insecureListen: withDefault({
    flag: '--insecure-listen',
    env: 'HOLDFAST_INSECURE_LISTEN',
    key: 'insecureListen',
    meaning: 'Allow other machines to reach the broker without TLS (behind a TLS proxy).',
    parse: flag,
    defaultValue: false,
  }),
  publicUrl: field({
    flag: '--public-url <url>',
    env: 'HOLDFAST_PUBLIC_URL',
    key: 'publicUrl',
    meaning: 'Address under which people reach the broker, where it differs from --listen.',
    parse: brokerUrl,
  }),
  stun: withDefault({
    flag: '--stun <url>',
    env: 'HOLDFAST_STUN',
    key: 'stun',
    meaning: 'STUN server handed to both ends (stun:HOST:PORT). May be repeated.',
    parse: list,
    defaultValue: Object.freeze([]),
    defaultText: 'none',
    repeats: true,
  }),
  turn: withDefault({
    flag: '--turn <url>',
    env: 'HOLDFAST_TURN',
    key: 'turn',
    meaning: 'TURN server handed to both ends (turn:HOST:PORT). May be repeated.',
    parse: list,
    defaultValue: Object.freeze([]),
    defaultText: 'none',
    repeats: true,
  }),
  turnSecretFile: field({
    flag: '--turn-secret-file <file>',
    env: 'HOLDFAST_TURN_SECRET_FILE',
    key: 'turnSecretFile',
    meaning: 'File with the secret shared with the TURN servers, for short-lived credentials.',
    parse: path,
  }),

  shell: field({
    flag: '--shell <file>',
    env: 'HOLDFAST_SHELL',
    key: 'shell',
    meaning: 'Shell of the workspace.',
    parse: text,
    defaultText: "the user's shell in the user database",
  }),
  directory: field({
    flag: '--directory <dir>',
    env: 'HOLDFAST_DIRECTORY',
    key: 'directory',
    meaning: 'Where sessions start; overrides what the broker says.',
    parse: path,
    defaultText: "the workspace's directory, else the home directory",
  }),
  ringBytes: withDefault({
    flag: '--ring-bytes <number>',
    env: 'HOLDFAST_RING_BYTES',
    key: 'ringBytes',
    meaning: 'Output that a terminal keeps for replay, in bytes.',
    parse: integer(limits.RING_MIN_BYTES, limits.RING_MAX_BYTES),
    defaultValue: limits.RING_BYTES,
  }),
  terminalIdle: withDefault({
    flag: '--terminal-idle <time>',
    env: 'HOLDFAST_TERMINAL_IDLE',
    key: 'terminalIdle',
    meaning: 'Life of a terminal with nobody attached; 0 is for ever.',
    parse: duration,
    defaultValue: limits.TERMINAL_IDLE_MS,
    defaultText: '24h',
  }),
  reconnectingPtyIdle: withDefault({
    flag: '--reconnecting-pty-idle <time>',
    env: 'HOLDFAST_RECONNECTING_PTY_IDLE',
    key: 'reconnectingPtyIdle',
    meaning: 'The same for terminals of the original protocol.',
    parse: duration,
    defaultValue: limits.RPTY_IDLE_MS,
    defaultText: '5m',
  }),
  workerBeat: withDefault({
    flag: '--worker-beat <time>',
    env: 'HOLDFAST_WORKER_BEAT',
    key: 'workerBeat',
    meaning: 'How often a worker shows that it is alive; one that misses two is replaced.',
    // What startAgent takes.
    parse: durationWithin(100, 600_000),
    defaultValue: limits.WORKER_BEAT_MS,
    defaultText: '15s',
  }),
  recordingQuota: withDefault({
    flag: '--recording-quota <number>',
    env: 'HOLDFAST_RECORDING_QUOTA',
    key: 'recordingQuota',
    meaning: 'What all recordings of terminals may take on disk, in bytes; 0 is none.',
    parse: integer(0, 2 ** 40),
    defaultValue: limits.RECORDING_QUOTA_BYTES,
  }),
  recordingBytes: withDefault({
    flag: '--recording-bytes <number>',
    env: 'HOLDFAST_RECORDING_BYTES',
    key: 'recordingBytes',
    meaning: 'What one recording may take on disk, in bytes; it ends there.',
    parse: integer(0, 2 ** 40),
    defaultValue: limits.RECORDING_BYTES,
  }),
  exitedKeep: withDefault({
    flag: '--exited-keep <time>',
    env: 'HOLDFAST_EXITED_KEEP',
    key: 'exitedKeep',
    meaning: 'How long an exited terminal can still be looked at; 0 is not at all.',
    parse: duration,
    defaultValue: limits.EXITED_KEPT_MS,
    defaultText: '10m',
  }),
  maxTerminalsPerSubject: withDefault({
    flag: '--max-terminals-per-subject <number>',
    env: 'HOLDFAST_MAX_TERMINALS_PER_SUBJECT',
    key: 'maxTerminalsPerSubject',
    meaning: 'Terminals that one person may have, those of their SSH sessions among them.',
    parse: integer(1, limits.MAX_TERMINALS),
    defaultValue: limits.TERMINALS_PER_SUBJECT,
  }),
  authorizedKeys: field({
    flag: '--authorized-keys <file>',
    env: 'HOLDFAST_AUTHORIZED_KEYS',
    key: 'authorizedKeys',
    meaning: 'SSH clients must also hold one of the keys in this file.',
    parse: path,
  }),
  sshBanner: field({
    flag: '--ssh-banner <file>',
    env: 'HOLDFAST_SSH_BANNER',
    key: 'sshBanner',
    meaning: 'SSH clients are shown this file before they log in.',
    parse: path,
  }),
  motd: withDefault<string | false>({
    flag: '--motd <file>',
    env: 'HOLDFAST_MOTD',
    key: 'motd',
    meaning:
      'A shell over SSH begins with this file, unless the user has a ~/.hushlogin; `none` for nothing.',
    parse: pathOrNone,
    defaultValue: '/etc/motd',
  }),
  x11Forwarding: withDefault({
    flag: '--x11-forwarding',
    env: 'HOLDFAST_X11_FORWARDING',
    key: 'x11Forwarding',
    meaning:
      'Let programs show on the displays of SSH clients that offer it (ssh -X). Needs xauth.',
    parse: flag,
    defaultValue: false,
  }),
  allowForward: field({
    flag: '--allow-forward <host:port>',
    env: 'HOLDFAST_ALLOW_FORWARD',
    key: 'allowForward',
    meaning: 'Target that forwards may reach, `*` for any host or port. May be repeated.',
    parse: list,
    defaultText: 'owners: all; others: all but link-local addresses',
    repeats: true,
  }),
  gatewayPorts: withDefault({
    flag: '--gateway-ports',
    env: 'HOLDFAST_GATEWAY_PORTS',
    key: 'gatewayPorts',
    meaning: 'Let remote forwards listen on other addresses than loopback.',
    parse: flag,
    defaultValue: false,
  }),
  ephemeralHostKey: withDefault({
    flag: '--ephemeral-host-key',
    env: 'HOLDFAST_EPHEMERAL_HOST_KEY',
    key: 'ephemeralHostKey',
    meaning: 'Use a new SSH host key at every start instead of the one in the state folder.',
    parse: flag,
    defaultValue: false,
  }),
  faultDoor: withDefault({
    flag: '--enable-fault-door',
    env: 'HOLDFAST_ENABLE_FAULT_DOOR',
    meaning: 'Let tests break workers through the socket in the state folder.',
    parse: flag,
    defaultValue: false,
  }),
  sshListen: field({
    flag: '--ssh-listen <host:port>',
    env: 'HOLDFAST_SSH_LISTEN',
    key: 'sshListen',
    meaning:
      'Take SSH clients that hold one of the authorized keys on this address, without a broker.',
    parse: listenAddress,
  }),
  metricsListen: field({
    flag: '--metrics-listen <host:port>',
    env: 'HOLDFAST_METRICS_LISTEN',
    key: 'metricsListen',
    meaning: 'Serve /healthz and /metrics of the agent on this address.',
    parse: listenAddress,
  }),
  socket: field({
    flag: '--socket <path>',
    env: 'HOLDFAST_SOCKET',
    key: 'socket',
    meaning:
      "Unix socket of the agent, for --local. Otherwise the one in the agent's state folder.",
    parse: path,
  }),
} as const;

/** Name of a setting. */
export type FieldName = keyof typeof FIELDS;

/** The value that a setting resolves to. */
export type FieldValue<K extends FieldName> =
  (typeof FIELDS)[K] extends WithDefault<infer T>
    ? T
    : (typeof FIELDS)[K] extends Field<infer T>
      ? T | undefined
      : never;
