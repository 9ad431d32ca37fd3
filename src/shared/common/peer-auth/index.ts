/**
 * Peer authentication and the requests after it, on the control channel of every connection. Platform-
 * free: keys and randomness are injected, so that agent, clients and the page run the very same code.
 *
 * The order is: client `hello`, agent `hello`, client `proof`, agent `proof`, agent `authenticated`. Each
 * proof is an Ed25519 signature over `peerTranscript`. See `handshakeTranscript` for why no one in
 * between can talk two ends out of binding the DTLS exporter.
 */
export {
  AgentControl,
  type AgentControlOptions,
  type ControlRequests,
  type CreateRequest,
  type CreateResult,
  type ExpectedClient,
  type WaitResult,
  type RecordingRequests,
  type RecordOptions,
} from './agent-control.js';
export { fromBase64Url, toBase64Url } from './base64url.js';
export {
  ClientControl,
  type AuthenticatedSession,
  type ClientControlOptions,
  type ClientTrust,
} from './client-control.js';
export {
  handshakeTranscript,
  type HandshakeBinding,
  type PeerCrypto,
  type Signer,
  type TranscriptParts,
} from './handshake.js';
