/** The messages that open a data channel: RFC 8832, section 5. */
import { HoldfastError } from '../../../common/index.js';
import type { DataChannelNames } from '../../../common/data-channels/index.js';

/** Payload protocol identifiers, RFC 8831 section 8. */
export const PPID = { dcep: 50, string: 51, binary: 53, stringEmpty: 56, binaryEmpty: 57 } as const;

const OPEN = 0x03;
const ACK = 0x02;
const OPEN_HEADER_BYTES = 12;

export type DcepMessage = ({ readonly type: 'open' } & DataChannelNames) | { readonly type: 'ack' };

/** A reliable, ordered channel. */
export function encodeOpen({ label, protocol }: DataChannelNames): Buffer {
  const header = Buffer.alloc(OPEN_HEADER_BYTES);
  header.writeUInt8(OPEN, 0);
  header.writeUInt16BE(label.length, 8);
  header.writeUInt16BE(protocol.length, 10);
  return Buffer.concat([header, Buffer.from(label, 'ascii'), Buffer.from(protocol, 'ascii')]);
}

export function encodeAck(): Buffer {
  return Buffer.from([ACK]);
}

/** Names keep bytes outside ASCII as Latin-1. @throws {HoldfastError} ERR_PROTOCOL. */
export function decodeDcep(data: Buffer): DcepMessage {
  if (data[0] === ACK) return { type: 'ack' };
  if (data[0] !== OPEN || data.length < OPEN_HEADER_BYTES)
    throw new HoldfastError('ERR_PROTOCOL', 'a malformed message to open a channel');
  const protocolAt = OPEN_HEADER_BYTES + data.readUInt16BE(8);
  if (data.length !== protocolAt + data.readUInt16BE(10))
    throw new HoldfastError('ERR_PROTOCOL', 'a message to open a channel has the wrong length');
  return {
    type: 'open',
    label: data.toString('latin1', OPEN_HEADER_BYTES, protocolAt),
    protocol: data.toString('latin1', protocolAt),
  };
}
