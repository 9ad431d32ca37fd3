/**
 * The link: one data channel that two Holdfast ends keep beside the others, for what WebRTC has no words
 * for: credit of a single channel, how a channel ends, a ping, and goodbye. It carries frames of the framed
 * engine, one per message, with the stream id for a channel number. The offering end opens it first of all
 * and says in its label what it can do; the other answers with `start`, and says the same there. A peer that
 * never does (any other client) is served without.
 */
import { HoldfastError, type ErrorRecord } from '../errors.js';
import {
  FrameDecoder,
  frameHeader,
  FRAME,
  readReason,
  readU32,
  reasonPayload,
  startPayload,
  u32Payload,
  type Frame,
  type FrameType,
} from '../framing/index.js';
import type { OwnedBytes } from '../byte-channel.js';
import { joinBytes } from '../join-bytes.js';

export const LINK_PROTOCOL = 'holdfast-link';

/** What an end can do, beyond the first version of the link, which had no words for it. */
export interface LinkFeatures {
  /** It ends channels by `end` and `done`, says when it has taken one up, and answers pings. */
  readonly handshake: boolean;
  /**
   * On a channel that the other end opened it can take one message only until it has said that it has
   * taken it up. What comes before may be swapped or lost: see ADR 0037.
   */
  readonly waits: boolean;
  /** It joins messages that come in parts, behind a text message that says how many. */
  readonly joins: boolean;
}

export type LinkMessage =
  | { readonly type: 'start'; readonly features: LinkFeatures }
  /** More may be sent on the channel. Any credit, also of 0 bytes, says that the channel was taken up. */
  | { readonly type: 'credit'; readonly channel: number; readonly bytes: number }
  /** Why a stream is about to be reset. Only between ends without `handshake`. */
  | { readonly type: 'close'; readonly channel: number; readonly error: ErrorRecord | undefined }
  /** Nothing follows on the channel after so many messages in all. */
  | {
      readonly type: 'end';
      readonly channel: number;
      readonly messages: number;
      readonly error: ErrorRecord | undefined;
    }
  /** Everything that `end` spoke of has arrived: the stream may be reset. */
  | { readonly type: 'done'; readonly channel: number }
  | { readonly type: 'ping' }
  | { readonly type: 'pong' }
  | { readonly type: 'goodbye'; readonly error: ErrorRecord | undefined };

const FEATURE = { handshake: 1, waits: 2, joins: 4 } as const;
/** Where `start` says them: behind magic and version. */
const FEATURES_AT = 5;
const LABEL = /^[0-9]{1,3}$/;
const END_HEADER_BYTES = 4;

/** The label by which the offering end opens its link. */
export function linkLabel(features: LinkFeatures): string {
  return String(toBits(features));
}

/** What the offering end can do, by the label of its link; an empty one is that of the first version. */
export function readLinkLabel(label: string): LinkFeatures {
  return toFeatures(LABEL.test(label) ? Number(label) : 0);
}

export function encodeLink(message: LinkMessage): OwnedBytes {
  switch (message.type) {
    case 'start':
      return frame(
        FRAME.start,
        0,
        joinBytes([startPayload(), Uint8Array.of(toBits(message.features))]),
      );
    case 'credit':
      return frame(FRAME.credit, message.channel, u32Payload(message.bytes));
    case 'close':
      return frame(FRAME.close, message.channel, reasonPayload(message.error));
    case 'end':
      return frame(
        FRAME.end,
        message.channel,
        joinBytes([u32Payload(message.messages), reasonPayload(message.error)]),
      );
    case 'done':
      return frame(FRAME.done, message.channel, new Uint8Array(0));
    case 'ping':
      return frame(FRAME.ping, 0, u32Payload(0));
    case 'pong':
      return frame(FRAME.pong, 0, u32Payload(0));
    case 'goodbye':
      return frame(FRAME.goodbye, 0, reasonPayload(message.error));
  }
}

/** @throws {HoldfastError} ERR_PROTOCOL unless `data` is exactly one frame of the link. */
export function decodeLink(data: Uint8Array): LinkMessage {
  const frames: Frame[] = [];
  new FrameDecoder((each) => frames.push(each)).push(data);
  const [only] = frames;
  if (only === undefined || frames.length > 1)
    throw new HoldfastError('ERR_PROTOCOL', 'a message of the link is not one frame');
  return readLink(only);
}

function readLink({ type, channel, payload }: Frame): LinkMessage {
  switch (type) {
    case FRAME.start:
      return { type: 'start', features: toFeatures(payload[FEATURES_AT] ?? 0) };
    case FRAME.credit:
      return { type: 'credit', channel, bytes: readU32(payload) };
    case FRAME.close:
      return { type: 'close', channel, error: readReason(payload) };
    case FRAME.end:
      return {
        type: 'end',
        channel,
        messages: readU32(payload.slice(0, END_HEADER_BYTES)),
        error: readReason(payload.subarray(END_HEADER_BYTES)),
      };
    case FRAME.done:
      return { type: 'done', channel };
    case FRAME.ping:
      return { type: 'ping' };
    case FRAME.pong:
      return { type: 'pong' };
    case FRAME.goodbye:
      return { type: 'goodbye', error: readReason(payload) };
    default:
      throw new HoldfastError('ERR_PROTOCOL', 'unknown message of the link');
  }
}

function frame(type: FrameType, channel: number, payload: Uint8Array): OwnedBytes {
  return joinBytes([frameHeader(type, channel, payload.length), payload]);
}

function toBits({ handshake, waits, joins }: LinkFeatures): number {
  return (
    (handshake ? FEATURE.handshake : 0) | (waits ? FEATURE.waits : 0) | (joins ? FEATURE.joins : 0)
  );
}

function toFeatures(bits: number): LinkFeatures {
  return {
    handshake: (bits & FEATURE.handshake) !== 0,
    waits: (bits & FEATURE.waits) !== 0,
    joins: (bits & FEATURE.joins) !== 0,
  };
}
