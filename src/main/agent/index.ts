/**
 * The agent: a daemon inside a workspace that serves its shells to verified peers. Main thread; the bytes
 * of terminals and peers are moved by its workers. This is the package's main face.
 */
export { startAgent, type Agent } from './agent.js';
export { createBrokerDialer, type BrokerDialerOptions } from './dial/index.js';
export type {
  Dialed,
  Dialer,
  DialState,
  PeerListener,
  PeerOffer,
  SignalExchange,
} from './dial/index.js';
export type { ForwardingOptions } from './forwarding/index.js';
export type { AgentOptions } from './options.js';
export { serveSftp, sftpServerMain, type SftpOptions } from './sftp/index.js';
