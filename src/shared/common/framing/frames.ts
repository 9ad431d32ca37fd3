/**
 * Frames of the `framed` engine. Every frame is an 8-byte header and a payload, big-endian:
 *
 *     type u8 | payload length u24 | channel u32 | payload
 *
 * `start` comes first in each direction, `goodbye` last. Channel 0 is the connection itself; the client
 * numbers its channels 1, 3, 5 and the server 2, 4, 6, never using a number twice. One `data` frame is
 * one message. A frame may be cut anywhere by the transport: a WebSocket message is just a piece of the
 * stream.
 */
import { HoldfastError, isErrorCode, type ErrorRecord } from '../errors.js';
import { LABEL_BYTES, MESSAGE_BYTES, PROTOCOL_BYTES } from '../limits.js';
import type { OwnedBytes } from '../byte-channel.js';

/** Stated in `start`; any other is ERR_PROTOCOL_VERSION. */
export const FRAMING_VERSION = 1;
export const FRAME_HEADER_BYTES = 8;

export const FRAME = {
  /** Magic `HFDF` and a version byte. */
  start: 0x01,
  /** Credit u32 for the other end, then label and protocol, each behind a length byte. */
  open: 0x02,
  data: 0x03,
  /** u32: so many more bytes may be sent on the channel. */
  credit: 0x04,
  /** Empty, or a length byte, an error code, and a message. Last frame of its direction. */
  close: 0x05,
  /** u32 that the `pong` repeats. */
  ping: 0x06,
  pong: 0x07,
  /** Payload as of `close`. Everything before it has been sent. */
  goodbye: 0x08,
  /** Only on the link of data channels: u32 of messages, then as of `close`. */
  end: 0x09,
  /** Only on the link of data channels: the end of the other side has arrived. Empty. */
  done: 0x0a,
} as const;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

export interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Uint8Array;
  /** `payload` lies in what was pushed. Else it has a buffer of its own, which can be transferred. */
  readonly isLent: boolean;
}

/** What an `open` frame says. */
export interface OpenFrame {
  readonly credit: number;
  readonly label: string;
  readonly protocol: string;
}

const MAGIC = [0x48, 0x46, 0x44, 0x46] as const;
const ASCII = /^[\x20-\x7e]*$/;
const MAX_REASON_BYTES = 1_024;
const utf8 = new TextEncoder();

/** The header of a frame whose payload has `length` bytes. */
export function frameHeader(type: FrameType, channel: number, length: number): OwnedBytes {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  writeHeader(header, type, channel, length);
  return header;
}

/**
 * A whole frame. In the buffer of `payload` if there is room before it, which only its owner may ask for.
 */
export function frameAround(type: FrameType, channel: number, payload: OwnedBytes): OwnedBytes {
  const { buffer, byteOffset, length } = payload;
  const isInPlace = byteOffset >= FRAME_HEADER_BYTES;
  const frame = isInPlace
    ? new Uint8Array(buffer, byteOffset - FRAME_HEADER_BYTES, length + FRAME_HEADER_BYTES)
    : new Uint8Array(length + FRAME_HEADER_BYTES);
  if (!isInPlace) frame.set(payload, FRAME_HEADER_BYTES);
  writeHeader(frame, type, channel, length);
  return frame;
}

function writeHeader(target: Uint8Array, type: number, channel: number, length: number): void {
  target[0] = type;
  target[1] = length >>> 16;
  target[2] = length >>> 8;
  target[3] = length;
  target[4] = channel >>> 24;
  target[5] = channel >>> 16;
  target[6] = channel >>> 8;
  target[7] = channel;
}

export function startPayload(): OwnedBytes {
  return Uint8Array.of(...MAGIC, FRAMING_VERSION);
}

/** @throws {HoldfastError} ERR_PROTOCOL, ERR_PROTOCOL_VERSION. */
export function checkStart(payload: Uint8Array): void {
  if (payload.length < 5 || MAGIC.some((byte, at) => payload[at] !== byte))
    throw new HoldfastError('ERR_PROTOCOL', 'the other end does not speak the framed protocol');
  if (payload[4] !== FRAMING_VERSION)
    throw new HoldfastError(
      'ERR_PROTOCOL_VERSION',
      `the other end frames by version ${String(payload[4])}, this one by ${String(FRAMING_VERSION)}`,
    );
}

export function u32Payload(value: number): OwnedBytes {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, value);
  return payload;
}

/** @throws {HoldfastError} ERR_PROTOCOL if `payload` is anything but one number. */
export function readU32(payload: Uint8Array): number {
  if (payload.length !== 4) throw new HoldfastError('ERR_PROTOCOL', 'a number must have 4 bytes');
  return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0);
}

/** @throws {HoldfastError} ERR_CHANNEL_LABEL unless both names are ASCII within their limits. */
export function checkChannelNames({ label, protocol }: { label: string; protocol: string }): void {
  if (label.length > LABEL_BYTES || !ASCII.test(label))
    throw new HoldfastError(
      'ERR_CHANNEL_LABEL',
      `channel label refused: must be at most ${String(LABEL_BYTES)} printable ASCII characters`,
    );
  if (protocol.length > PROTOCOL_BYTES || !ASCII.test(protocol))
    throw new HoldfastError(
      'ERR_CHANNEL_LABEL',
      `channel protocol refused: must be at most ${String(PROTOCOL_BYTES)} printable ASCII characters`,
    );
}

/** The names must have passed {@link checkChannelNames}. */
export function openPayload({ credit, label, protocol }: OpenFrame): OwnedBytes {
  const payload = new Uint8Array(4 + 1 + label.length + 1 + protocol.length);
  new DataView(payload.buffer).setUint32(0, credit);
  payload[4] = label.length;
  payload.set(utf8.encode(label), 5);
  payload[5 + label.length] = protocol.length;
  payload.set(utf8.encode(protocol), 6 + label.length);
  return payload;
}

/** Bytes outside ASCII stay as Latin-1 characters, which {@link checkChannelNames} refuses. */
export function readOpen(payload: Uint8Array): OpenFrame {
  const labelLength = payload[4] ?? 255;
  const protocolAt = 5 + labelLength;
  const protocolLength = payload[protocolAt] ?? 255;
  if (payload.length !== protocolAt + 1 + protocolLength)
    throw new HoldfastError('ERR_PROTOCOL', 'an open frame has the wrong length');
  return {
    credit: new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0),
    label: String.fromCharCode(...payload.subarray(5, protocolAt)),
    protocol: String.fromCharCode(...payload.subarray(protocolAt + 1)),
  };
}

export function reasonPayload(error: ErrorRecord | undefined): OwnedBytes {
  if (error === undefined) return new Uint8Array(0);
  const code = utf8.encode(error.code);
  const message = utf8.encode(error.message.slice(0, 300));
  const payload = new Uint8Array(1 + code.length + message.length);
  payload[0] = code.length;
  payload.set(code, 1);
  payload.set(message, 1 + code.length);
  return payload;
}

/** Absent: ended on purpose. A code that this version does not know becomes ERR_PROTOCOL. */
export function readReason(payload: Uint8Array): ErrorRecord | undefined {
  if (payload.length === 0) return undefined;
  const codeLength = payload[0] ?? 0;
  if (payload.length > MAX_REASON_BYTES || payload.length < 1 + codeLength)
    throw new HoldfastError('ERR_PROTOCOL', 'a closing frame has the wrong length');
  const code = String.fromCharCode(...payload.subarray(1, 1 + codeLength));
  const message = new TextDecoder().decode(payload.subarray(1 + codeLength));
  return { code: isErrorCode(code) ? code : 'ERR_PROTOCOL', message };
}

/**
 * Cuts a byte stream into frames. Holds at most one unfinished frame, whose size was checked against
 * the limit before anything was allocated. A frame that lies within what was pushed is lent from there, so a
 * caller may use its read buffer again once `push` has returned.
 */
export class FrameDecoder {
  readonly #onFrame: (frame: Frame) => void;
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerLength = 0;
  #payload: OwnedBytes | undefined;
  #payloadLength = 0;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** @throws {HoldfastError} ERR_MESSAGE_TOO_LARGE, and whatever the frame handler throws. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payload === undefined) {
        at += this.#takeHeader(chunk, at);
        if (this.#headerLength < FRAME_HEADER_BYTES) return;
        const length = this.#length();
        if (chunk.length - at >= length) {
          this.#emit(chunk.subarray(at, at + length), true);
          at += length;
          continue;
        }
        this.#payload = new Uint8Array(length);
        this.#payloadLength = 0;
      }
      const payload = this.#payload;
      const part = chunk.subarray(at, at + payload.length - this.#payloadLength);
      payload.set(part, this.#payloadLength);
      this.#payloadLength += part.length;
      at += part.length;
      if (this.#payloadLength === payload.length) {
        this.#payload = undefined;
        this.#emit(payload, false);
      }
    }
  }

  #emit(payload: Uint8Array, isLent: boolean): void {
    const [type = 0, , , , a = 0, b = 0, c = 0, d = 0] = this.#header;
    const channel = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    this.#headerLength = 0;
    this.#onFrame({ type, channel, payload, isLent });
  }

  /** @throws {HoldfastError} ERR_MESSAGE_TOO_LARGE. */
  #length(): number {
    const [, high = 0, middle = 0, low = 0] = this.#header;
    const length = (high << 16) | (middle << 8) | low;
    if (length > MESSAGE_BYTES)
      throw new HoldfastError(
        'ERR_MESSAGE_TOO_LARGE',
        `a frame of ${String(length)} bytes is over the limit of ${String(MESSAGE_BYTES)}`,
      );
    return length;
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    const part = chunk.subarray(at, at + FRAME_HEADER_BYTES - this.#headerLength);
    this.#header.set(part, this.#headerLength);
    this.#headerLength += part.length;
    return part.length;
  }
}
