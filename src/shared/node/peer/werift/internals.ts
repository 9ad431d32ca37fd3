import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { RTCPeerConnection } from 'werift';
import { HoldfastError } from '../../../common/index.js';

/** The one release whose insides this engine is written against. */
export const WERIFT_VERSION = '0.25.2';

/** Parameters of a stream reset (RFC 6525), by werift's `type`. */
export const RESET_REQUEST = 13;

export interface ReconfigParam {
  readonly type?: number;
  readonly requestSequence?: number;
  /** Of a reset request: the last TSN the other end sent before it. */
  readonly lastTsn?: number;
  readonly streams?: readonly number[];
}

/** What this engine uses of werift's SCTP association. All of it is checked by {@link openInternals}. */
export interface SctpInternals {
  associationState: number;
  localTsn: number;
  lastSackedTsn: number;
  advancedPeerAckTsn: number;
  reconfigRequestSeq: number;
  lastReceivedTsn?: number | undefined;
  readonly advertisedRwnd: number;
  readonly sackMisOrdered: ReadonlySet<number>;
  readonly inboundStreams: Record<number, unknown>;
  cwnd: number;
  rto: number;
  readonly flightSize: number;
  readonly ssthresh?: number | undefined;
  readonly fastRecoveryExit?: number | undefined;
  maxPayloadSize: number;
  sackNeeded: boolean;
  readonly outboundQueue: readonly { readonly streamId: number }[];
  readonly sentQueue: readonly { readonly streamId: number }[];
  reconfigQueue: number[];
  readonly reconfigRequest?: { readonly streams: readonly number[] } | undefined;
  flush: unknown;
  onSackReceived: () => Promise<void>;
  readonly stateChanged: Record<
    'connected' | 'closed',
    { subscribe(listener: () => void): unknown }
  >;
  readonly onReconfigStreams: { subscribe(listener: (ids: number[]) => void): unknown };
  handleData(data: Buffer): Promise<void>;
  receive(streamId: number, ppId: number, data: Buffer): void;
  receiveReconfigParam(param: ReconfigParam): Promise<void>;
  scheduleSack(): Promise<void>;
  sendSack(): Promise<void>;
  transmit(): Promise<void>;
  transmitReconfigRequest(): Promise<void>;
  heartbeatCancel(): void;
  timerHeartbeatExpired(): Promise<void>;
  send(
    streamId: number,
    ppId: number,
    data: Buffer,
    options: { readonly ordered: boolean },
  ): Promise<void>;
}

export interface DtlsRecord {
  readonly recordLayerHeader: {
    readonly contentType: number;
    readonly epoch: number;
    readonly sequenceNumber: number;
  };
}

interface KeyPair {
  readonly curve: number;
  readonly publicKey: Buffer;
  readonly privateKey: Buffer;
}

/** What it uses of the DTLS connection. */
export interface DtlsInternals {
  readonly dtls: {
    readonly remoteExtendedMasterSecret: boolean;
    /** How far the handshake has come; what was sent before is not sent again. */
    flight: number;
    /** Of the last record sent in the epoch. */
    recordSequenceNumber: number;
  };
  readonly cipher: {
    readonly localKeyPair: KeyPair;
    readonly remoteKeyPair: KeyPair;
    decryptPacket(record: DtlsRecord): Buffer;
  };
  readonly transport: { readonly socket: { onData: (data: Buffer) => void } };
  onHandleHandshakes: (handshakes: readonly { readonly msg_type: number }[]) => Promise<void>;
  readonly onClose: { execute(): void };
  readonly remoteCertificate?: Buffer | undefined;
  exportKeyingMaterial(label: string, length: number): Buffer;
}

export interface DtlsTransportInternals {
  readonly state: string;
  /** `client` or `server` once it is connected. */
  readonly role: string;
  dtls?: DtlsInternals | undefined;
  dataReceiver: (data: Buffer) => void;
  readonly onStateChange: { subscribe(listener: (state: string) => void): unknown };
  readonly localCertificate?: { readonly certPem: string } | undefined;
  readonly localParameters: {
    readonly fingerprints: readonly { readonly algorithm: string; readonly value: string }[];
  };
  readonly iceTransport: {
    readonly connection: {
      /** Absent: candidates are gathered without asking anybody. */
      stunServer?: unknown;
      readonly protocols: readonly {
        readonly transport?: { readonly socket?: unknown } | undefined;
        close?(): Promise<void>;
      }[];
    };
  };
}

/** The insides of one werift connection. */
export interface WeriftInternals {
  readonly sctp: SctpInternals;
  readonly dtlsTransport: DtlsTransportInternals;
}

const SCTP_FUNCTIONS = [
  'handleData',
  'receive',
  'receiveReconfigParam',
  'scheduleSack',
  'sendSack',
  'transmit',
  'transmitReconfigRequest',
  'heartbeatCancel',
  'timerHeartbeatExpired',
  'send',
  'onSackReceived',
] as const;
const SCTP_NUMBERS = [
  'associationState',
  'localTsn',
  'lastSackedTsn',
  'advancedPeerAckTsn',
  'reconfigRequestSeq',
  'advertisedRwnd',
  'cwnd',
  'rto',
  'flightSize',
  'maxPayloadSize',
] as const;

let versionChecked = false;

/**
 * The insides of `pc`, which must have an SCTP transport already. An upgrade of werift that moved any of
 * them must fail here, at the start, and not leave a guard hanging in the air.
 * @throws {HoldfastError} ERR_INTERNAL naming what is missing.
 */
export function openInternals(pc: RTCPeerConnection): WeriftInternals {
  requireVersion();
  const transport = pc.sctpTransport as unknown as
    { sctp?: SctpInternals; dtlsTransport?: DtlsTransportInternals } | undefined;
  const sctp = transport?.sctp;
  const dtlsTransport = transport?.dtlsTransport;
  require(sctp !== undefined && dtlsTransport !== undefined, 'sctpTransport');
  for (const name of SCTP_FUNCTIONS) require(typeof sctp[name] === 'function', `sctp.${name}`);
  for (const name of SCTP_NUMBERS) require(typeof sctp[name] === 'number', `sctp.${name}`);
  require(Array.isArray(sctp.outboundQueue) && Array.isArray(sctp.sentQueue), 'sctp queues');
  require(Array.isArray(sctp.reconfigQueue), 'sctp.reconfigQueue');
  require(sctp.sackMisOrdered instanceof Set, 'sctp.sackMisOrdered');
  require(typeof sctp.inboundStreams === 'object', 'sctp.inboundStreams');
  require(typeof sctp.flush === 'object', 'sctp.flush');
  require(typeof dtlsTransport.dataReceiver === 'function', 'dtlsTransport.dataReceiver');
  require(typeof dtlsTransport.role === 'string', 'dtlsTransport.role');
  require(Array.isArray(dtlsTransport.iceTransport.connection.protocols), 'ice protocols');
  require('stunServer' in dtlsTransport.iceTransport.connection, 'ice stunServer');
  return { sctp, dtlsTransport };
}

/** @throws {HoldfastError} ERR_INTERNAL naming what is missing of a connected DTLS. */
export function requireDtls(transport: DtlsTransportInternals): DtlsInternals {
  const { dtls } = transport;
  require(dtls !== undefined, 'dtlsTransport.dtls');
  require(typeof dtls.transport.socket.onData === 'function', 'dtls.transport.socket.onData');
  require(typeof dtls.onHandleHandshakes === 'function', 'dtls.onHandleHandshakes');
  require(typeof dtls.cipher.decryptPacket === 'function', 'dtls.cipher.decryptPacket');
  require(typeof dtls.exportKeyingMaterial === 'function', 'dtls.exportKeyingMaterial');
  require(typeof dtls.dtls.recordSequenceNumber === 'number', 'dtls.dtls.recordSequenceNumber');
  return dtls;
}

function requireVersion(): void {
  if (versionChecked) return;
  // The package does not export its package.json; its entry lies at lib/webrtc/src/index.js.
  const entry = createRequire(import.meta.url).resolve('werift');
  const file = join(dirname(entry), '..', '..', '..', 'package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version?: string };
  require(version === WERIFT_VERSION, `version ${WERIFT_VERSION}, found ${String(version)}`);
  versionChecked = true;
}

function require(holds: boolean, what: string): asserts holds {
  if (!holds) throw new HoldfastError('ERR_INTERNAL', `werift is not as expected: ${what}`);
}
