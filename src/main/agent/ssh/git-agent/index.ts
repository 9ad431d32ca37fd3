/**
 * The agent's own ssh-agent, which serves the workspace's Git key on a unix socket. Main thread. Its own
 * codec: ssh2's server half loses its place at the first request that it does not know, and OpenSSH's
 * client begins with such a one.
 */
export {
  AgentFramer,
  encodeFailure,
  encodeIdentities,
  encodeSignature,
  MAX_AGENT_MESSAGE,
  parseAgentRequest,
  type AgentIdentity,
  type AgentRequest,
} from './codec.js';
export { GitAgent, type GitAgentOptions } from './git-agent.js';
export { parseGitKey, publicKeyLine, type GitKey } from './git-key.js';
