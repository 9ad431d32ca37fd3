/**
 * SFTP: a version 3 server on any duplex stream, with OpenSSH's extensions. Owns the codec, the handles
 * of each session and the order of its requests. Runs on the main thread of the agent; files are read and
 * written on libuv's pool. It knows nothing of SSH: the SSH server hands it a channel, the page opens one of
 * its own, and `holdfast sftp-server` hands it standard input and output.
 */
export { SftpDoor, type SftpDoorOptions } from './door.js';
export { serveSftp, type SftpOptions } from './session.js';
export { sftpServerMain } from './stdio.js';
