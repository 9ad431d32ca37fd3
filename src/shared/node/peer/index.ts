/**
 * Peer connections behind one small interface, one folder per engine. The only importer of werift and
 * node-datachannel. Runs in peer workers and in the native host on the agent, and in-process in clients.
 */
export type {
  EngineName,
  OpenChannelOptions,
  PeerAttempt,
  PeerBinding,
  PeerChannel,
  PeerConnection,
  PeerEnd,
  PeerOffer,
  WebRtcOptions,
} from './types.js';
export {
  dialFramedWebSocket,
  framedOverDuplex,
  framedOverFd,
  framedOverSocket,
  framedOverWebSocket,
  reusedBuffer,
  type DialFramedOptions,
  type FramedDial,
  type FramedOptions,
} from './framed/index.js';
export { nodePeerCrypto, nodeSigner, publicKeyText } from './crypto.js';
export type { PeerCommand, PeerEvent, PeerSource, PeerTask } from './worker-port.js';
export {
  answerWerift,
  createWeriftOffer,
  preloadWerift,
  WERIFT_VERSION,
  type WeriftAttempt,
  type WeriftOffer,
} from './werift/index.js';
export {
  answerNative,
  createNativeOffer,
  isNativeAvailable,
  loadNative,
  NATIVE_VERSION,
} from './native/index.js';
export {
  chooseWebRtcEngine,
  createWebRtcOffer,
  type WebRtcChoice,
  type WebRtcEngine,
} from './webrtc-engine.js';
export { HOST_TOKEN_LENGTH, type HostCommand, type HostEvent } from './native-host-messages.js';
