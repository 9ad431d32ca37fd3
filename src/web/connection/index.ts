/** The page's way to an agent: ticket, signalling, direct or relayed link, proof of identity, heartbeat. */
export { AgentKeyChangedError, type ConnectStep } from './connect.js';
export { fingerprint, pinAgentKey } from './pins.js';
export type { LinkKind } from './types.js';
export {
  WorkspaceConnection,
  type ConnectionState,
  type WorkspaceConnectionOptions,
} from './workspace-connection.js';
