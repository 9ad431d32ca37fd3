/**
 * Terminals, seen from main: who has which id, the processes and their masters, and which worker
 * serves each. Terminal output never comes here, but for SSH sessions, whose bytes SSH needs.
 */
export type { LaunchRequest, TerminalsOptions } from './options.js';
export { TerminalRegistry } from './registry.js';
export type { PtyCommand, PtySession, Terminals } from './types.js';
