/**
 * Pseudo-terminals: the one importer of node-pty. `startPty` belongs to main; `resizePty` and the modes of a
 * terminal to any thread.
 */
export { resizePty } from './resize.js';
export { startPty } from './start.js';
export {
  mergeTerminalModes,
  readEchoMode,
  sendBreak,
  setTerminalModes,
  type EchoMode,
  type TerminalModes,
} from './termios.js';
export type { PtyOptions, StartedPty } from './types.js';
