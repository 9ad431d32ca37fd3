/**
 * The agent's peers: accepts offers and local connections into peer workers, verifies who they are, and
 * hands on the channels they open. Runs on main; connections themselves live in src/workers/peer.
 */
export { createPeers, type Peers, type PeersOptions, type PeerWorkersOptions } from './peers.js';
export { TicketVerifier, type TicketVerifierOptions } from './tickets.js';
export type { IncomingChannel, VerifiedPeer } from './types.js';
