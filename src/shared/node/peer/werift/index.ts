/**
 * The `werift` engine: WebRTC data channels in pure JavaScript, the only importer of werift. Runs in peer
 * workers on the agent and in-process in clients. werift is loaded with the first connection,
 * or before it by whoever expects one.
 *
 * What werift lacks and this folder adds: proof of who the DTLS peer is (the binding, checked by peer
 * authentication), a guard at every entry that a peer can reach, and bounds. What lies above its streams is
 * the same for all engines: src/shared/common/data-channels.
 */
export {
  answerWerift,
  createWeriftOffer,
  preloadWerift,
  type WeriftAttempt,
  type WeriftOffer,
} from './establish.js';
export { WERIFT_VERSION } from './internals.js';
