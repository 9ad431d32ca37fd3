/** Relays: WebSocket pipes between a client and an agent that found no direct path. Reads nothing. */
export type { PipeTotals } from './pipe.js';
export { RELAY_PATH, Relays } from './relays.js';
