/** What a load does over SSH, on the connections that carry the terminals too: typing, commands, files. Main thread. */
export { startSsh, type StartSshOptions } from './start-ssh.js';
