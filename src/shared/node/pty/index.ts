/**
 * Pseudo-terminals and file descriptors: the one importer of node-pty and koffi. `forkPty` and the
 * descriptor calls belong to main; `resizePty` runs on any thread.
 */
export { duplicateFd, peerUserId, setCloseOnExec } from './fds.js';
export { forkPty, resizePty, signalName, type ForkedPty, type ForkOptions } from './fork.js';
export { reapOrphans } from './orphans.js';
export { openPipe, openPipes, type PipeEnds } from './pipe.js';
export { sealInheritedDescriptors } from './seal.js';
export {
  mergeTerminalModes,
  readEchoMode,
  sendBreak,
  setTerminalModes,
  type EchoMode,
  type TerminalModes,
} from './termios.js';
