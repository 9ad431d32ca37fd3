/**
 * Packets of SFTP version 3 (draft-ietf-secsh-filexfer-02), as far as an upload needs them. No DOM, so
 * that it can be tested against the agent's server without a browser.
 */
import { HoldfastError, limits } from '../../shared/common/index.js';

export const SFTP_VERSION = 3;

/** Requests, by their type byte. */
export const REQUEST = {
  INIT: 1,
  OPEN: 3,
  CLOSE: 4,
  WRITE: 6,
  REMOVE: 13,
  REALPATH: 16,
  STAT: 17,
  RENAME: 18,
  EXTENDED: 200,
} as const;

/** Replies, by their type byte. */
export const REPLY = {
  VERSION: 2,
  STATUS: 101,
  HANDLE: 102,
  NAME: 104,
  ATTRS: 105,
} as const;

/** Codes of a STATUS reply. */
export const STATUS = { OK: 0, NO_SUCH_FILE: 2, PERMISSION_DENIED: 3 } as const;

/** Bits of the `pflags` field of OPEN. */
export const OPEN = { WRITE: 0x02, CREAT: 0x08, EXCL: 0x20 } as const;

const ATTR_SIZE = 0x01;
const ATTR_UIDGID = 0x02;
const ATTR_PERMISSIONS = 0x04;

const LENGTH_BYTES = 4;
const utf8 = new TextEncoder();

/** Builds one packet, length first. */
export class PacketWriter {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = LENGTH_BYTES;

  /** @param capacity At least what will be written behind the length. */
  constructor(type: number, capacity: number) {
    this.#bytes = new Uint8Array(LENGTH_BYTES + 1 + capacity);
    this.#view = new DataView(this.#bytes.buffer);
    this.#view.setUint8(this.#at, type);
    this.#at += 1;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
    return this;
  }

  u64(value: number): this {
    this.#view.setBigUint64(this.#at, BigInt(value));
    this.#at += 8;
    return this;
  }

  string(value: Uint8Array): this {
    this.u32(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** Its own memory, exactly filled. */
  end(): Uint8Array<ArrayBuffer> {
    this.#view.setUint32(0, this.#at - LENGTH_BYTES);
    return this.#at === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#at);
  }
}

/** A packet whose fields behind the type are `texts`, after the request's id. */
export function textPacket(type: number, id: number, ...texts: string[]): Uint8Array<ArrayBuffer> {
  const fields = texts.map((text) => utf8.encode(text));
  const capacity = fields.reduce((sum, { length }) => sum + 4 + length, 4);
  const packet = new PacketWriter(type, capacity).u32(id);
  for (const field of fields) packet.string(field);
  return packet.end();
}

/** What is known of a file. */
export interface FileAttributes {
  readonly size: number | undefined;
  /** Type and permission bits as in `st_mode`. */
  readonly mode: number | undefined;
}

const TYPE_BITS = 0o170000;
const FOLDER = 0o040000;

export function isFolder({ mode = 0 }: FileAttributes): boolean {
  return (mode & TYPE_BITS) === FOLDER;
}

/** Reads the fields of one reply. @throws {HoldfastError} ERR_PROTOCOL at its end. */
export class PacketReader {
  readonly type: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 1;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.type = bytes[0] ?? 0;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): number {
    return Number(this.#view.getBigUint64(this.#take(8)));
  }

  bytes(): Uint8Array {
    const length = this.u32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }

  attributes(): FileAttributes {
    const flags = this.u32();
    const size = (flags & ATTR_SIZE) === 0 ? undefined : this.u64();
    if ((flags & ATTR_UIDGID) !== 0) this.#take(8);
    const mode = (flags & ATTR_PERMISSIONS) === 0 ? undefined : this.u32();
    return { size, mode };
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) {
      throw new HoldfastError('ERR_PROTOCOL', 'an sftp packet ends before its fields do');
    }
    this.#at += length;
    return at;
  }
}

/** Cuts the stream of a channel into packets. */
export class PacketSplitter {
  #rest = new Uint8Array(0);

  /** The packets that are complete now. @throws {HoldfastError} ERR_MESSAGE_TOO_LARGE. */
  push(bytes: Uint8Array): Uint8Array[] {
    let data = bytes;
    if (this.#rest.length > 0) {
      data = new Uint8Array(this.#rest.length + bytes.length);
      data.set(this.#rest);
      data.set(bytes, this.#rest.length);
    }
    const packets: Uint8Array[] = [];
    let at = 0;
    while (data.length - at >= LENGTH_BYTES) {
      const length = new DataView(data.buffer, data.byteOffset + at).getUint32(0);
      if (length > limits.SFTP_PACKET_BYTES) {
        throw new HoldfastError('ERR_MESSAGE_TOO_LARGE', 'an sftp packet beyond the limit');
      }
      if (data.length - at - LENGTH_BYTES < length) break;
      packets.push(data.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
      at += LENGTH_BYTES + length;
    }
    this.#rest = data.slice(at);
    return packets;
  }
}
