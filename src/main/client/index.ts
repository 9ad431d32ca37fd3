/**
 * Reaching workspaces from a program: the broker's API, SSH sessions and forwards over a channel of a
 * connection. The package's face `holdfast/client`. Main thread of whoever uses it.
 */
export {
  createBrokerApi,
  type BrokerApi,
  type BrokerApiOptions,
  type TicketOptions,
} from './broker-api/index.js';
export {
  connectLocal,
  connectPeer,
  type AgentConnection,
  type ConnectLocalOptions,
  type ConnectPath,
  type ConnectPeerOptions,
  type RecordingsClient,
} from './connection/index.js';
export {
  createTerminalClient,
  type TerminalClientHandlers,
  type TerminalClientOptions,
  type TerminalClientState,
} from '../../shared/common/terminal-client/index.js';
export {
  formatEnd,
  parseForward,
  RemoteForwards,
  startLocalForward,
  type Forward,
  type ForwardContext,
  type ForwardEnd,
  type ForwardSpec,
  type RemoteForward,
} from './forwards/index.js';
export {
  connectSsh,
  openSftp,
  startSession,
  type SshConnection,
  type SftpFiles,
  type SshConnectOptions,
  type SshSession,
  type SshSessionOptions,
} from './ssh-client/index.js';
