/** The terminals of a load and who watches them, from their creation to their end. Main thread. */
export { Fleet, type FleetOptions } from './fleet.js';
export { ORPHAN_MS, USUAL_SIZE, type EndKind, type LoadTerminal } from './load-terminal.js';
export { TerminalTypist } from './terminal-typist.js';
export type { Viewer } from './viewer.js';
