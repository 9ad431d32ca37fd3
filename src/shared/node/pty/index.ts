/**
 * Pseudo-terminals: the one importer of node-pty. `forkPty` belongs to main; `resizePty` and the modes of a terminal
 * to any thread.
 */
export { forkPty, resizePty, type ForkedPty, type ForkOptions } from './fork.js';
export {
  mergeTerminalModes,
  readEchoMode,
  sendBreak,
  setTerminalModes,
  type EchoMode,
  type TerminalModes,
} from './termios.js';
