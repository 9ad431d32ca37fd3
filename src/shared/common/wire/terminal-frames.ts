/**
 * The frames of the `terminal` protocol: binary, one per message, big-endian, first byte the type.
 * docs/protocol.md draws every layout. Offsets and sequence numbers are unsigned 64-bit on the wire
 * and plain numbers here: 2^53 bytes of output last 2,800 years at 100 MB/s.
 */
import { assertNever } from '../assert-never.js';
import { HoldfastError, isErrorCode, type ErrorCode } from '../errors.js';
import { parseEpoch, type Epoch, type ViewerId } from '../ids.js';
import { VIEWER_CONTROL_BYTES } from '../limits.js';
import { isTerminalSize, type TerminalSize } from './label.js';
import {
  PACES,
  SIZE_POLICIES,
  type Pace,
  type SizePolicy,
  type TerminalSettings,
} from './settings.js';
import { parseViewerControl, type ViewerControl } from './viewer-control.js';

/** Stated in `attach` and `attached`; the agent refuses any other with ERR_PROTOCOL_VERSION. */
export const TERMINAL_PROTOCOL_VERSION = 1;

/** How a terminal ended. `unknown`: it was ended from outside before a status was known. */
export type ExitStatus =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'unknown' };

export type ClientFrame =
  /** First frame on the channel; anything before it, or a second one, ends the viewer. */
  | {
      readonly type: 'attach';
      readonly version: number;
      /** Wants to type; what it may is in `attached`. */
      readonly wantsType: boolean;
      /** The log that `offset` belongs to. Absent: the viewer has nothing yet. */
      readonly epoch?: Epoch | undefined;
      /** The first byte the viewer lacks. Absent: replay all that is kept. */
      readonly offset?: number | undefined;
      readonly size: TerminalSize;
      /** Output the viewer takes beyond what it has acknowledged, in bytes. */
      readonly window: number;
      /** 16 random bytes; with it input sequence numbers outlive a dropped channel. */
      readonly clientId: Uint8Array;
      readonly settings: TerminalSettings;
    }
  /** `seq` is the position of the first byte in this client's input; repeats are dropped. */
  | { readonly type: 'input'; readonly seq: number; readonly bytes: Uint8Array }
  | { readonly type: 'resize'; readonly size: TerminalSize }
  /** Everything before `offset` is processed; output up to `offset + window` may follow. */
  | { readonly type: 'ack'; readonly offset: number; readonly window: number }
  | { readonly type: 'configure'; readonly settings: TerminalSettings }
  | { readonly type: 'control'; readonly control: ViewerControl };

export type AgentFrame =
  /** Answer to `attach`; the first frame on the channel unless it is `error`. */
  | {
      readonly type: 'attached';
      readonly version: number;
      readonly mayType: boolean;
      /** This attach started the terminal. */
      readonly created: boolean;
      readonly epoch: Epoch;
      /** Oldest byte still in the ring. */
      readonly oldest: number;
      /** Where output to this viewer begins; greater than what it asked for after a gap. */
      readonly offset: number;
      /** Where the log ends now: output before it is replay. */
      readonly head: number;
      readonly size: TerminalSize;
      /** Next input byte expected from this `clientId`. */
      readonly inputSeq: number;
      /** Input taken beyond `inputSeq`, in bytes. */
      readonly inputWindow: number;
      readonly pace: Pace;
      readonly sizePolicy: SizePolicy;
    }
  /**
   * Log bytes `offset` to `nextOffset`. `replay`: older than the attach. `quiet`: the viewer must not answer
   * queries in them, somebody else does or did; what is replay is always quiet.
   */
  | {
      readonly type: 'output';
      readonly replay: boolean;
      readonly quiet: boolean;
      readonly offset: number;
      readonly nextOffset: number;
      readonly bytes: Uint8Array;
    }
  /** Input before `seq` reached the terminal; up to `seq + window` may follow. */
  | { readonly type: 'inputAck'; readonly seq: number; readonly window: number }
  /** Log bytes `from` to `to` are gone; output goes on at `to`, or with a snapshot. */
  | { readonly type: 'gap'; readonly from: number; readonly to: number }
  /**
   * The screen at `offset`, as bytes for a fresh emulator of that size. `continues`: a further piece of
   * the snapshot that the frame before began.
   */
  | {
      readonly type: 'snapshot';
      readonly continues: boolean;
      readonly offset: number;
      readonly size: TerminalSize;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'title'; readonly title: string }
  /** The terminal has this size from log position `offset` on. */
  | { readonly type: 'size'; readonly offset: number; readonly size: TerminalSize }
  /** Who is attached, as JSON that docs/protocol.md describes. */
  | { readonly type: 'presence'; readonly json: string }
  /** Last frame: the log is complete with `totalBytes`. */
  | { readonly type: 'exit'; readonly exit: ExitStatus; readonly totalBytes: number }
  /** Something that happened, as JSON that docs/protocol.md describes; see `parseViewerEvent`. */
  | { readonly type: 'event'; readonly json: string }
  /** Last frame of a viewer that is ended; the terminal may live on. */
  | { readonly type: 'error'; readonly code: ErrorCode; readonly message: string };

const TYPE = {
  attach: 0x01,
  input: 0x02,
  resize: 0x03,
  ack: 0x04,
  configure: 0x05,
  control: 0x06,
  attached: 0x81,
  output: 0x82,
  inputAck: 0x83,
  gap: 0x84,
  snapshot: 0x85,
  title: 0x86,
  size: 0x87,
  presence: 0x88,
  exit: 0x89,
  error: 0x8a,
  event: 0x8b,
} as const;

/** Bytes before the payload of an `output` frame. */
export const OUTPUT_HEADER_BYTES = 18;
/** Bytes before the payload of an `input` frame. */
export const INPUT_HEADER_BYTES = 9;

const OUTPUT_REPLAY = 1;
const OUTPUT_QUIET = 2;
const CLIENT_ID_BYTES = 16;
const NO_EPOCH = '0000000000000000';
const EXIT_KINDS = ['status', 'signal', 'unknown'] as const;
const utf8 = new TextEncoder();

/**
 * Writes the header of an `output` frame into the first {@link OUTPUT_HEADER_BYTES} of `frame`. The
 * pump copies from the ring straight behind it, so that a byte is copied once per viewer.
 */
export function writeOutputHeader(
  frame: Uint8Array,
  header: {
    readonly replay: boolean;
    readonly quiet: boolean;
    readonly offset: number;
    readonly nextOffset: number;
  },
): void {
  const view = new DataView(frame.buffer, frame.byteOffset, OUTPUT_HEADER_BYTES);
  view.setUint8(0, TYPE.output);
  view.setUint8(1, outputFlags(header));
  view.setBigUint64(2, BigInt(header.offset));
  view.setBigUint64(10, BigInt(header.nextOffset));
}

/** The part of a `presence` frame that is the same for all who get it; `json` is an object. */
export function encodePresenceCommon(json: string): Uint8Array {
  const common = utf8.encode(`?${json.slice(0, -1)}`);
  common[0] = TYPE.presence;
  return common;
}

/** The `presence` frame for `you`: one copy of `common` and a few bytes, however many names are in it. */
export function encodePresenceFor(common: Uint8Array, you: ViewerId): Uint8Array<ArrayBuffer> {
  const tail = utf8.encode(`,"you":${String(you)}}`);
  const frame = new Uint8Array(common.length + tail.length);
  frame.set(common);
  frame.set(tail, common.length);
  return frame;
}

function outputFlags({ replay, quiet }: { replay: boolean; quiet: boolean }): number {
  return (replay ? OUTPUT_REPLAY : 0) | (quiet || replay ? OUTPUT_QUIET : 0);
}

/** The bytes of a client frame; a new buffer that owns its memory, so it can be transferred. */
export function encodeClientFrame(frame: ClientFrame): Uint8Array<ArrayBuffer> {
  const out = new Writer(frame.type === 'input' ? INPUT_HEADER_BYTES + frame.bytes.length : 64);
  out.u8(TYPE[frame.type]);
  switch (frame.type) {
    case 'attach':
      out.u8(frame.version);
      out.u8((frame.wantsType ? 1 : 0) | (frame.offset === undefined ? 0 : 2));
      out.hex(frame.epoch ?? NO_EPOCH);
      out.u64(frame.offset ?? 0);
      out.size(frame.size);
      out.u32(frame.window);
      out.bytes(frame.clientId);
      out.settings(frame.settings);
      break;
    case 'input':
      out.u64(frame.seq);
      out.bytes(frame.bytes);
      break;
    case 'resize':
      out.size(frame.size);
      break;
    case 'ack':
      out.u64(frame.offset);
      out.u32(frame.window);
      break;
    case 'configure':
      out.settings(frame.settings);
      break;
    case 'control':
      out.bytes(utf8.encode(JSON.stringify(frame.control)));
      break;
    default:
      assertNever(frame);
  }
  return out.take();
}

/** The bytes of an agent frame; a new buffer that owns its memory, so it can be transferred. */
export function encodeAgentFrame(frame: AgentFrame): Uint8Array<ArrayBuffer> {
  const out = new Writer('bytes' in frame ? 32 + frame.bytes.length : 80);
  out.u8(TYPE[frame.type]);
  switch (frame.type) {
    case 'attached':
      out.u8(frame.version);
      out.u8((frame.mayType ? 1 : 0) | (frame.created ? 2 : 0));
      out.hex(frame.epoch);
      out.u64(frame.oldest);
      out.u64(frame.offset);
      out.u64(frame.head);
      out.size(frame.size);
      out.u64(frame.inputSeq);
      out.u32(frame.inputWindow);
      out.settings(frame);
      break;
    case 'output':
      out.u8(outputFlags(frame));
      out.u64(frame.offset);
      out.u64(frame.nextOffset);
      out.bytes(frame.bytes);
      break;
    case 'inputAck':
      out.u64(frame.seq);
      out.u32(frame.window);
      break;
    case 'gap':
      out.u64(frame.from);
      out.u64(frame.to);
      break;
    case 'snapshot':
      out.u8(frame.continues ? 1 : 0);
      out.u64(frame.offset);
      out.size(frame.size);
      out.bytes(frame.bytes);
      break;
    case 'title':
      out.bytes(utf8.encode(frame.title));
      break;
    case 'size':
      out.u64(frame.offset);
      out.size(frame.size);
      break;
    case 'presence':
    case 'event':
      out.bytes(utf8.encode(frame.json));
      break;
    case 'exit':
      out.u8(EXIT_KINDS.indexOf(frame.exit.kind));
      out.u32(frame.exit.kind === 'status' ? frame.exit.status : 0);
      out.u64(frame.totalBytes);
      out.bytes(utf8.encode(frame.exit.kind === 'signal' ? frame.exit.signal : ''));
      break;
    case 'error':
      out.u8(frame.code.length);
      out.bytes(utf8.encode(frame.code));
      out.bytes(utf8.encode(frame.message));
      break;
    default:
      assertNever(frame);
  }
  return out.take();
}

/**
 * Reads what a client sent. Payloads are views on `bytes`, not copies.
 * @throws {HoldfastError} ERR_FRAME if it is no complete frame with values in range.
 */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  const input = new Reader(bytes);
  const type = input.u8();
  switch (type) {
    case TYPE.attach: {
      const version = input.u8();
      const flags = input.u8();
      const epoch = input.hex(8);
      const offset = input.u64();
      const size = input.size();
      const window = input.u32();
      const clientId = input.bytes(CLIENT_ID_BYTES);
      const settings = input.settings();
      // No `end()`: a later version may append fields that this one ignores.
      return {
        type: 'attach',
        version,
        wantsType: (flags & 1) !== 0,
        epoch: epoch === NO_EPOCH ? undefined : parseEpoch(epoch),
        offset: (flags & 2) !== 0 ? offset : undefined,
        size,
        window,
        clientId,
        settings,
      };
    }
    case TYPE.input:
      return { type: 'input', seq: input.u64(), bytes: input.rest() };
    case TYPE.resize:
      return input.end({ type: 'resize', size: input.size() });
    case TYPE.ack:
      return input.end({ type: 'ack', offset: input.u64(), window: input.u32() });
    case TYPE.configure:
      return input.end({ type: 'configure', settings: input.settings() });
    case TYPE.control: {
      if (bytes.length > VIEWER_CONTROL_BYTES) throw badFrame('control is too long');
      const control = parseViewerControl(input.text());
      if (control === undefined) throw badFrame('unknown control');
      return { type: 'control', control };
    }
    default:
      throw badFrame(`unknown type 0x${type.toString(16)}`);
  }
}

/**
 * Reads what the agent sent. Payloads are views on `bytes`, not copies.
 * @throws {HoldfastError} ERR_FRAME if it is no complete frame with values in range.
 */
export function decodeAgentFrame(bytes: Uint8Array): AgentFrame {
  const input = new Reader(bytes);
  const type = input.u8();
  switch (type) {
    case TYPE.attached: {
      const version = input.u8();
      const flags = input.u8();
      const epoch = parseEpoch(input.hex(8));
      const oldest = input.u64();
      const offset = input.u64();
      const head = input.u64();
      const size = input.size();
      const inputSeq = input.u64();
      const inputWindow = input.u32();
      const { pace = 'fastest', sizePolicy = 'latest' } = input.settings();
      return {
        type: 'attached',
        version,
        mayType: (flags & 1) !== 0,
        created: (flags & 2) !== 0,
        epoch,
        oldest,
        offset,
        head,
        size,
        inputSeq,
        inputWindow,
        pace,
        sizePolicy,
      };
    }
    case TYPE.output: {
      const flags = input.u8();
      return {
        type: 'output',
        replay: (flags & OUTPUT_REPLAY) !== 0,
        // Replay implies it, so that a reader of this field needs no other.
        quiet: (flags & (OUTPUT_REPLAY | OUTPUT_QUIET)) !== 0,
        offset: input.u64(),
        nextOffset: input.u64(),
        bytes: input.rest(),
      };
    }
    case TYPE.inputAck:
      return input.end({ type: 'inputAck', seq: input.u64(), window: input.u32() });
    case TYPE.gap:
      return input.end({ type: 'gap', from: input.u64(), to: input.u64() });
    case TYPE.snapshot:
      return {
        type: 'snapshot',
        continues: (input.u8() & 1) !== 0,
        offset: input.u64(),
        size: input.size(),
        bytes: input.rest(),
      };
    case TYPE.title:
      return { type: 'title', title: input.text() };
    case TYPE.size:
      return input.end({ type: 'size', offset: input.u64(), size: input.size() });
    case TYPE.presence:
      return { type: 'presence', json: input.text() };
    case TYPE.event:
      return { type: 'event', json: input.text() };
    case TYPE.exit: {
      const kind = EXIT_KINDS[input.u8()];
      const status = input.u32();
      const totalBytes = input.u64();
      const signal = input.text();
      switch (kind) {
        case 'status':
          return { type: 'exit', exit: { kind, status }, totalBytes };
        case 'signal':
          return { type: 'exit', exit: { kind, signal }, totalBytes };
        case 'unknown':
          return { type: 'exit', exit: { kind }, totalBytes };
        case undefined:
          throw badFrame('unknown kind of exit');
        default:
          return assertNever(kind);
      }
    }
    case TYPE.error: {
      const code = ascii(input.bytes(input.u8()));
      return {
        type: 'error',
        code: isErrorCode(code) ? code : 'ERR_PROTOCOL',
        message: input.text(),
      };
    }
    default:
      throw badFrame(`unknown type 0x${type.toString(16)}`);
  }
}

class Writer {
  #buffer: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacity: number) {
    this.#buffer = new Uint8Array(capacity);
    this.#view = new DataView(this.#buffer.buffer);
  }

  #reserve(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#buffer.length * 2));
      larger.set(this.#buffer);
      this.#buffer = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value);
  }

  u64(value: number): void {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, BigInt(value));
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#buffer.set(value, at);
  }

  hex(digits: string): void {
    for (let at = 0; at < digits.length; at += 2)
      this.u8(Number.parseInt(digits.slice(at, at + 2), 16));
  }

  size({ rows, cols }: TerminalSize): void {
    this.u16(rows);
    this.u16(cols);
  }

  /** One byte each, 0 for "as it is", else the position in its list counted from 1. */
  settings({ pace, sizePolicy }: TerminalSettings): void {
    this.u8(pace === undefined ? 0 : PACES.indexOf(pace) + 1);
    this.u8(sizePolicy === undefined ? 0 : SIZE_POLICIES.indexOf(sizePolicy) + 1);
  }

  /** Exactly the written bytes, in a buffer of exactly that size. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#length === this.#buffer.length
      ? this.#buffer
      : this.#buffer.slice(0, this.#length);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #advance(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw badFrame('too short');
    this.#at += count;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  u64(): number {
    const value = this.#view.getBigUint64(this.#advance(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw badFrame('offset out of range');
    return Number(value);
  }

  bytes(count: number): Uint8Array {
    const at = this.#advance(count);
    return this.#bytes.subarray(at, at + count);
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at);
  }

  hex(count: number): string {
    let digits = '';
    for (const byte of this.bytes(count)) digits += byte.toString(16).padStart(2, '0');
    return digits;
  }

  text(): string {
    return new TextDecoder().decode(this.rest());
  }

  size(): TerminalSize {
    const size = { rows: this.u16(), cols: this.u16() };
    if (!isTerminalSize(size)) throw badFrame('size out of range');
    return size;
  }

  settings(): TerminalSettings {
    return { pace: pick(PACES, this.u8()), sizePolicy: pick(SIZE_POLICIES, this.u8()) };
  }

  end<T>(frame: T): T {
    if (this.#at !== this.#bytes.length) throw badFrame('bytes after the end');
    return frame;
  }
}

function pick<T>(list: readonly T[], position: number): T | undefined {
  if (position === 0) return undefined;
  const value = list[position - 1];
  if (value === undefined) throw badFrame('setting out of range');
  return value;
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function badFrame(why: string): HoldfastError {
  return new HoldfastError('ERR_FRAME', `frame refused: ${why}`);
}
