/**
 * The post-quantum key exchange of SSH, `mlkem768x25519-sha256`: its computation, and how it gets into ssh2, which
 * has none. For servers and clients; the one importer of @noble/post-quantum. Any Node thread.
 */
export {
  answerHybrid,
  beginHybrid,
  HYBRID_BYTES,
  prepareHybrid,
  type HybridAnswer,
  type HybridBeginning,
} from './mlkem-x25519.js';
export { HYBRID_KEX, offerHybridKex } from './ssh2-exchange.js';
