import { createRequire } from 'node:module';
import type { Connection } from 'ssh2';
import { HoldfastError } from '../../../shared/common/index.js';

/**
 * The inner parts of ssh2 that the agent stands on. ssh2's transport layer (key exchange, ciphers, packet
 * codec) and user authentication are sound and used as they are. Its connection layer (channels, windows,
 * requests; RFC 4254) is not: it enforces no receive window, loops for ever on a packet size of 0, damages
 * output when stdout and stderr both block, and never releases a write that a closing channel left. So
 * `_handlers` is given our own for that layer. Names and shapes hold for the pinned version, and
 * {@link assertInternals} refuses to start with any other.
 */
export interface Ssh2Protocol {
  /** One function per message, called with the protocol first. */
  readonly _handlers: Record<string, (protocol: Ssh2Protocol, ...fields: never[]) => void>;
  /** Every decrypted packet outside a key exchange; read anew when ciphers change. */
  _onPayload: (payload: Buffer) => unknown;
  readonly _onError: (error: Error) => void;
  /** Absent: the protocol is dead and must not be called any more. */
  readonly _destruct?: ((reason?: string) => void) | undefined;
  /** Present during a key exchange, while only its own packets may be sent. */
  readonly _kexinit: Buffer | undefined;
  /** Packets that wait for the end of a key exchange. */
  _queue: unknown[] | undefined;
  readonly _decipher: { readonly inSeqno: number };
  readonly _cipher: { encrypt(packet: Buffer): void };
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      readonly allocStartKEX: number;
      alloc(size: number, force?: boolean): Buffer;
      finalize(packet: Buffer, force?: boolean): Buffer;
    };
  };
  requestSuccess(data?: Buffer): void;
  requestFailure(): void;
  channelSuccess(channel: number): void;
  channelFailure(channel: number): void;
  channelEOF(channel: number): void;
  channelClose(channel: number): void;
  channelWindowAdjust(channel: number, bytes: number): void;
  channelData(channel: number, data: Buffer): void;
  channelExtData(channel: number, data: Buffer, type: number): void;
  channelOpenConfirm(remote: number, local: number, window: number, packet: number): void;
  channelOpenFail(remote: number, reason: number, description: string): void;
  exitStatus(channel: number, status: number): void;
  forwardedTcpip(
    channel: number,
    window: number,
    packet: number,
    options: { boundAddr: string; boundPort: number; remoteAddr: string; remotePort: number },
  ): void;
  openssh_forwardedStreamLocal(
    channel: number,
    window: number,
    packet: number,
    options: { socketPath: string },
  ): void;
  x11(
    channel: number,
    window: number,
    packet: number,
    options: { originAddr: string; originPort: number },
  ): void;
  openssh_authAgent(channel: number, window: number, packet: number): void;
}

/** Message numbers of RFC 4250 section 4.1 that the agent looks at itself. */
export const MESSAGE = {
  DISCONNECT: 1,
  IGNORE: 2,
  UNIMPLEMENTED: 3,
  DEBUG: 4,
  SERVICE_REQUEST: 5,
  EXT_INFO: 7,
  KEXINIT: 20,
  KEX_LAST: 49,
  USERAUTH_REQUEST: 50,
  USERAUTH_BANNER: 53,
  USERAUTH_LAST: 79,
  GLOBAL_REQUEST: 80,
  REQUEST_FAILURE: 82,
  CHANNEL_OPEN: 90,
  CHANNEL_REQUEST: 98,
  CHANNEL_FAILURE: 100,
} as const;

/** Reasons of RFC 4253 section 11.1. */
export const DISCONNECT = {
  PROTOCOL_ERROR: 2,
  BY_APPLICATION: 11,
  TOO_MANY_CONNECTIONS: 12,
  NO_MORE_AUTH_METHODS: 14,
} as const;

/** Reasons of RFC 4254 section 5.1. */
export const OPEN_FAILURE = {
  PROHIBITED: 1,
  CONNECT_FAILED: 2,
  UNKNOWN_TYPE: 3,
  RESOURCE_SHORTAGE: 4,
} as const;

const SSH2_VERSION = '1.17.0';

/** @throws {HoldfastError} ERR_UNSUPPORTED unless the ssh2 in use is the one this file describes. */
export function assertInternals(): void {
  const require = createRequire(import.meta.url);
  const { version } = require('ssh2/package.json') as { version: string };
  if (version !== SSH2_VERSION) {
    throw new HoldfastError(
      'ERR_UNSUPPORTED',
      `ssh2 ${version} is installed, but its inner parts are known for ${SSH2_VERSION} only`,
    );
  }
}

/** The protocol behind a client. @throws {HoldfastError} ERR_UNSUPPORTED if it looks different. */
export function protocolOf(client: Connection): Ssh2Protocol {
  const protocol = (client as unknown as { _protocol?: Partial<Ssh2Protocol> })._protocol;
  if (
    protocol === undefined ||
    typeof protocol._onPayload !== 'function' ||
    typeof protocol._handlers !== 'object' ||
    typeof protocol.channelOpenConfirm !== 'function' ||
    typeof protocol._packetRW?.write.alloc !== 'function'
  ) {
    throw new HoldfastError('ERR_UNSUPPORTED', 'the inner parts of ssh2 are not as expected');
  }
  return protocol as Ssh2Protocol;
}

/** Sends a packet that ssh2 has no function for; waits for the end of a key exchange as all others. */
export function sendPayload(protocol: Ssh2Protocol, payload: Uint8Array): void {
  const { write } = protocol._packetRW;
  const start = write.allocStart;
  const packet = write.alloc(payload.length);
  packet.set(payload, start);
  const finished = write.finalize(packet);
  if (protocol._kexinit === undefined) protocol._cipher.encrypt(finished);
  else (protocol._queue ??= []).push(finished);
}

/** Sends DISCONNECT with a text that the client shows; ssh2's own has none. Passes a key exchange. */
export function sendDisconnect(protocol: Ssh2Protocol, reason: number, text: string): void {
  const { write } = protocol._packetRW;
  const payload = new PayloadWriter()
    .byte(MESSAGE.DISCONNECT)
    .uint32(reason)
    .string(text)
    .string('')
    .finish();
  const start = write.allocStartKEX;
  const packet = write.alloc(payload.length, true);
  packet.set(payload, start);
  protocol._cipher.encrypt(write.finalize(packet, true));
}

/** Builds a payload of RFC 4251 section 5 types. */
export class PayloadWriter {
  readonly #parts: Buffer[] = [];

  byte(value: number): this {
    this.#parts.push(Buffer.from([value]));
    return this;
  }

  boolean(value: boolean): this {
    return this.byte(value ? 1 : 0);
  }

  uint32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32BE(value);
    this.#parts.push(part);
    return this;
  }

  string(value: string | Uint8Array): this {
    const part = Buffer.from(value as Uint8Array);
    this.uint32(part.length);
    this.#parts.push(part);
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Reads a payload of RFC 4251 section 5 types. Past the end every read gives `undefined`. */
export class PayloadReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  /** Position of the next read. */
  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number | undefined {
    if (this.left < 1) return undefined;
    return this.#bytes[this.#at++];
  }

  uint32(): number | undefined {
    if (this.left < 4) return undefined;
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  /** A slice of the payload, not a copy. */
  string(): Buffer | undefined {
    const length = this.uint32();
    if (length === undefined || this.left < length) return undefined;
    const value = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }
}
