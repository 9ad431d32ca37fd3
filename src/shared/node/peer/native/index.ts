/**
 * The `native` engine: WebRTC data channels by libdatachannel (node-datachannel, an optional dependency), the only
 * importer of it. Several times as fast as werift, and it verifies that the other end holds the key of its
 * certificate. It ends the process if the thread ends that loaded it, so it runs on main threads only: in clients, and
 * on the agent in a child process (src/workers/native).
 */
export { answerNative, createNativeOffer } from './establish.js';
export { isNativeAvailable, loadNative, NATIVE_VERSION } from './library.js';
