/**
 * Connections of WebRTC data channels without a platform: {@link LinkedConnection} on a {@link StreamStack},
 * of which there is one for werift, one for libdatachannel and one for browsers. No `node:` and no DOM.
 */
export {
  decodeLink,
  encodeLink,
  LINK_PROTOCOL,
  linkLabel,
  readLinkLabel,
  type LinkFeatures,
  type LinkMessage,
} from './link.js';
export { LinkedConnection, type LinkedConnectionOptions } from './linked-connection.js';
export { StreamIds } from './stream-ids.js';
export type { DataChannelNames, StackEvents, StreamStack } from './stream-stack.js';
