/** What tests of connections share: pairs of every engine, collectors, and the insides of werift. */
export { authenticateBoth, type Authentication } from './authenticate.js';
export {
  Collector,
  firstWrongByte,
  nextChannel,
  pattern,
  patternByte,
  sendPattern,
} from './channels.js';
export { echo } from './echo.js';
export {
  unixPair,
  webSocketPair,
  weriftCertificate,
  weriftInternals,
  weriftPair,
  type Pair,
  type PairOptions,
} from './pairs.js';
export { startNative } from './start-native.js';
export { UdpPath } from './udp-path.js';
export {
  webRtcPair,
  type WebRtcEngine,
  type WebRtcPair,
  type WebRtcPairOptions,
} from './webrtc-pair.js';
