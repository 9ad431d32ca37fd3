/** Keys typed on time, and what became of them. Pure but for its timer; main thread. */
export { KeyEcho, type KeyEchoOptions } from './key-echo.js';
export { ReadyGate } from './ready-gate.js';
