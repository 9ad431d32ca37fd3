/** What makes a keyboard and a screen out of a terminal client. Main thread of `holdfast attach`. */
export { attachTerminal, type AttachOptions, type AttachOutcome } from './attach-terminal.js';
export { DetachKeys, type KeyOutcome } from './detach-keys.js';
export { runEscape } from './escapes.js';
export { ScreenModes } from './screen-modes.js';
