/**
 * The connections of a load to the agent: kept up, cut on purpose, and paced so that they stay within what
 * the agent allows each peer. Main thread.
 */
export { isAbort, Peer, type PeerOptions } from './peer.js';
export { Slots } from './slots.js';
