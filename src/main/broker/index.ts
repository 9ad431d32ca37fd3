/**
 * The broker: workspaces, tokens and tickets, signalling between clients and agents, relay, and the page.
 * Trusted with who may do what, never with what is typed. Main thread of its own process.
 */
export { startBroker } from './broker.js';
export type { Broker, BrokerOptions, TlsFiles, TurnOptions } from './types.js';
export type {
  AgentTokenRecord,
  AuditRecord,
  Store,
  StoreTransaction,
  TokenRecord,
  UserTokenRecord,
  WorkspaceRecord,
} from './store/index.js';
