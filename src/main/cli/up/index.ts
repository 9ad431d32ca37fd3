/**
 * `holdfast up`: broker and agent as two child processes of a small supervisor that keeps no terminal
 * byte and no state of its own. Main threads of three processes.
 */
export { findOpener, openInBrowser } from './opener.js';
export { startUp, UP_LOG_LEVEL, type Up, type UpOptions, type UpReady } from './run-up.js';
export { readyScreen, type ScreenOptions } from './screen.js';
