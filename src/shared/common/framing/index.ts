/**
 * The `framed` engine: channels over any ordered byte stream. No `node:` and no DOM, so that the page
 * speaks it over a WebSocket and everything else over sockets. Also the parts that other engines need to
 * be as fair and as watchful: turns between channels, heartbeat, rate limit.
 */
export { FairQueue, type Lane } from './fair-queue.js';
export { FramedChannel, type ChannelHost } from './framed-channel.js';
export {
  FramedConnection,
  type FramedBinding,
  type FramedConnectionOptions,
  type FramedTransport,
} from './framed-connection.js';
export {
  checkChannelNames,
  FRAME,
  FRAME_HEADER_BYTES,
  frameAround,
  FrameDecoder,
  frameHeader,
  FRAMING_VERSION,
  openPayload,
  readReason,
  readU32,
  reasonPayload,
  startPayload,
  u32Payload,
  type Frame,
  type FrameType,
} from './frames.js';
export { Heartbeat, type HeartbeatOptions } from './heartbeat.js';
export { OpenGate } from './open-gate.js';
export { RoomAnnouncer } from './room-announcer.js';
export { RateLimit } from './rate-limit.js';
