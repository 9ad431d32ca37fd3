import { createHash, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { HoldfastError } from '../../../common/index.js';
import { EXPORTER_BYTES, EXPORTER_LABEL } from '../../../common/wire/index.js';
import type { PeerBinding } from '../types.js';
import {
  requireDtls,
  type DtlsInternals,
  type DtlsRecord,
  type DtlsTransportInternals,
} from './internals.js';
import { ReplayWindow } from './replay-window.js';

const RECORD = { alert: 21, handshake: 22, applicationData: 23 } as const;
const RECORD_HEADER_BYTES = 13;
const HANDSHAKE_FINISHED = 20;
const CURVE_X25519 = 29;
/** The epoch of everything after the one handshake there is. */
const EPOCH = 1;
/** More records than a handshake has, and less than the 64 that a replay window must hold at least. */
const FIRST_RECORD = 32;

/**
 * What werift's DTLS leaves open once it is connected, closed from outside. Anybody who can send a UDP
 * packet, with whatever source address, could end a session by a plaintext alert (also one that claims
 * the encrypted epoch), reset it by a plaintext ClientHello, and replay records; the peer itself could
 * renegotiate to another certificate that nobody checks.
 */
export function guardDtls(transport: DtlsTransportInternals): void {
  const dtls = requireDtls(transport);
  useNoRecordNumberTwice(dtls);
  refuseReplays(dtls);
  const receive = dtls.transport.socket.onData;
  dtls.transport.socket.onData = (data) => {
    for (const record of splitRecords(data)) {
      const type = record[0];
      if (type === RECORD.alert) receiveAlert(dtls, record);
      else if (type === RECORD.applicationData || type === RECORD.handshake) receive(record);
      // All else is made up: werift itself takes an unknown type for an alert.
    }
  };
  // A repeated Finished means that ours was lost; any other message would be a renegotiation.
  const handle = dtls.onHandleHandshakes;
  dtls.onHandleHandshakes = async (handshakes) => {
    const repeated = handshakes.filter(({ msg_type }) => msg_type === HANDSHAKE_FINISHED);
    if (repeated.length > 0) await handle(repeated);
  };
}

/**
 * What both ends sign. werift checks the fingerprint of the certificate that the other end shows, but not
 * that it holds the key, so the exporter is what counts.
 * @throws {HoldfastError} ERR_PEER_AUTH if the exporter would not be bound to this very handshake.
 */
export function dtlsBinding(transport: DtlsTransportInternals): PeerBinding {
  const dtls = requireDtls(transport);
  if (!dtls.dtls.remoteExtendedMasterSecret)
    throw new HoldfastError('ERR_PEER_AUTH', 'the other end lacks extended master secret');
  requireContribution(dtls);
  const { remoteCertificate } = dtls;
  if (remoteCertificate === undefined)
    throw new HoldfastError('ERR_PEER_AUTH', 'the other end showed no certificate');
  const local = transport.localParameters.fingerprints.find(
    ({ algorithm }) => algorithm.toLowerCase() === 'sha-256',
  );
  if (local === undefined) throw new HoldfastError('ERR_INTERNAL', 'no local fingerprint');
  return {
    engine: 'werift',
    localFingerprint: local.value.toUpperCase(),
    remoteFingerprint: fingerprint(remoteCertificate),
    exporter: new Uint8Array(dtls.exportKeyingMaterial(EXPORTER_LABEL, EXPORTER_BYTES)),
  };
}

/**
 * werift takes a point of small order for a key (tweetnacl does not check), which makes the shared secret
 * all zero, known to everybody. OpenSSL refuses to compute it.
 */
function requireContribution({ cipher }: DtlsInternals): void {
  const { localKeyPair: local, remoteKeyPair: remote } = cipher;
  if (local.curve !== CURVE_X25519) return;
  const jwk = { kty: 'OKP', crv: 'X25519', x: local.publicKey.toString('base64url') };
  try {
    diffieHellman({
      privateKey: createPrivateKey({
        key: { ...jwk, d: local.privateKey.toString('base64url') },
        format: 'jwk',
      }),
      publicKey: createPublicKey({
        key: { ...jwk, x: remote.publicKey.toString('base64url') },
        format: 'jwk',
      }),
    });
  } catch (error) {
    throw new HoldfastError('ERR_PEER_AUTH', 'the other end sent an unsafe key', { cause: error });
  }
}

function fingerprint(certificate: Buffer): string {
  const digest = createHash('sha256').update(certificate).digest('hex').toUpperCase();
  return (digest.match(/../g) ?? []).join(':');
}

/** The records of a datagram that claim to be encrypted; a cut one and what follows it is dropped. */
function splitRecords(data: Buffer): Buffer[] {
  const records: Buffer[] = [];
  let at = 0;
  while (at + RECORD_HEADER_BYTES <= data.length) {
    const end = at + RECORD_HEADER_BYTES + data.readUInt16BE(at + 11);
    if (end > data.length) break;
    if (data.readUInt16BE(at + 3) === EPOCH) records.push(data.subarray(at, end));
    at = end;
  }
  return records;
}

/**
 * werift numbers its Finished on from the handshake before it, but then begins to count anew, so that one of its
 * first records has the same number. Its encryption must never use a number twice, since the number is the nonce
 * of AES-GCM; and the other end takes the second one for a replay, so that data wait a second for SCTP's timer.
 */
function useNoRecordNumberTwice({ dtls }: DtlsInternals): void {
  dtls.recordSequenceNumber = Math.max(dtls.recordSequenceNumber, FIRST_RECORD);
}

/** Marks a record number as seen only when the record was authentic, as RFC 6347 4.1.2.6 asks. */
function refuseReplays(dtls: DtlsInternals): void {
  const seen = new ReplayWindow();
  const decrypt = dtls.cipher.decryptPacket.bind(dtls.cipher);
  dtls.cipher.decryptPacket = (record) => {
    const { sequenceNumber } = record.recordLayerHeader;
    if (!seen.isFresh(sequenceNumber)) throw new Error('replayed record');
    const plain = decrypt(record);
    seen.mark(sequenceNumber);
    return plain;
  };
}

/** werift reads an alert before it decrypts it, so that anybody could have sent it. */
function receiveAlert(dtls: DtlsInternals, record: Buffer): void {
  const parsed: DtlsRecord & { readonly fragment: Buffer } & Record<string, unknown> = {
    recordLayerHeader: {
      contentType: record.readUInt8(0),
      protocolVersion: { major: record.readUInt8(1), minor: record.readUInt8(2) },
      epoch: record.readUInt16BE(3),
      sequenceNumber: record.readUIntBE(5, 6),
      contentLen: record.readUInt16BE(11),
    } as DtlsRecord['recordLayerHeader'],
    fragment: record.subarray(RECORD_HEADER_BYTES),
    computeMACHeader: () => record.subarray(0, RECORD_HEADER_BYTES),
  };
  try {
    dtls.cipher.decryptPacket(parsed);
  } catch {
    return;
  }
  // Authentic: whatever it says, no more can be expected of the other end.
  dtls.onClose.execute();
}
