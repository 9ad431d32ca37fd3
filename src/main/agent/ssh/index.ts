/**
 * The SSH server on the channels of verified peers and on a port of its own, and the agent's own ssh-agent for Git. The only
 * importer of ssh2 in the agent. Main thread.
 */
export { checkBanner } from './login-texts.js';
export { DirectListener, type DirectListenerOptions } from './direct-listener.js';
export { createSshServer } from './server.js';
export type { ServeSftp, SshServer, SshServerOptions } from './types.js';
