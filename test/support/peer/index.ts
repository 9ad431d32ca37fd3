/** What tests of connections share: pairs of every engine, collectors, and the insides of werift. */
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
