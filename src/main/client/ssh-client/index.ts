/**
 * SSH as a client speaks it, over a channel of a peer connection. With the forwards beside it the only
 * importer of ssh2 among the clients. Main thread.
 */
export { connectSsh, prepareSsh, type SshConnection, type SshConnectOptions } from './connect.js';
export { startSession, type SshSession, type SshSessionOptions } from './session.js';
export { openSftp, type SftpFiles } from './sftp-files.js';
export { TransportGate } from './transport-gate.js';
