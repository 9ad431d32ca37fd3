/**
 * Ways to an agent: over the broker, or over the unix socket of one on this machine. What they yield has
 * been authenticated in both directions.
 */
export {
  authenticateConnection,
  type AgentConnection,
  type AuthenticateOptions,
  type RecordingsClient,
} from './agent-connection.js';
export { connectLocal, type ConnectLocalOptions } from './local.js';
export { connectPeer, type ConnectPath, type ConnectPeerOptions } from './connect-peer.js';
