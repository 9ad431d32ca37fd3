/**
 * The link: one data channel that two Holdfast ends keep beside the others, for what WebRTC has no words
 * for: credit of a single channel, the code of a close, and goodbye. It carries frames of the framed
 * engine, one per message, with the stream id for a channel number. The offering end opens it first of all;
 * the other answers with `start`. A peer that never does (a browser, any other client) is served without.
 */
import { HoldfastError, type ErrorRecord } from '../../../common/index.js';
import {
  FRAME,
  FrameDecoder,
  frameHeader,
  readReason,
  reasonPayload,
  startPayload,
  type Frame,
  type FrameType,
} from '../../../common/framing/index.js';

export const LINK_PROTOCOL = 'holdfast-link';

export type LinkMessage =
  | { readonly type: 'start' }
  | { readonly type: 'credit'; readonly channel: number; readonly bytes: number }
  | { readonly type: 'close'; readonly channel: number; readonly error: ErrorRecord | undefined }
  | { readonly type: 'goodbye'; readonly error: ErrorRecord | undefined };

export function encodeLink(message: LinkMessage): Buffer {
  switch (message.type) {
    case 'start':
      return frame(FRAME.start, 0, startPayload());
    case 'credit': {
      const payload = Buffer.alloc(4);
      payload.writeUInt32BE(message.bytes);
      return frame(FRAME.credit, message.channel, payload);
    }
    case 'close':
      return frame(FRAME.close, message.channel, reasonPayload(message.error));
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
  const { type, channel, payload } = only;
  switch (type) {
    case FRAME.start:
      return { type: 'start' };
    case FRAME.credit:
      if (payload.length !== 4)
        throw new HoldfastError('ERR_PROTOCOL', 'a credit of the link has the wrong length');
      return { type: 'credit', channel, bytes: Buffer.from(payload).readUInt32BE() };
    case FRAME.close:
      return { type: 'close', channel, error: readReason(payload) };
    case FRAME.goodbye:
      return { type: 'goodbye', error: readReason(payload) };
    default:
      throw new HoldfastError('ERR_PROTOCOL', 'unknown message of the link');
  }
}

function frame(type: FrameType, channel: number, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(type, channel, payload.length), payload]);
}
