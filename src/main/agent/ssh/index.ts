/**
 * The SSH server on the channels of verified peers, and the agent's own ssh-agent for Git. The only
 * importer of ssh2 in the agent. Main thread.
 */
export { createSshServer } from './server.js';
export type { ServeSftp, SshServer, SshServerOptions } from './types.js';
