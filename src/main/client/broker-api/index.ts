/** The broker's HTTP API as typed calls, over the global `fetch`. */
export { createBrokerApi } from './broker-api.js';
export type { BrokerApi, BrokerApiOptions, TicketOptions } from './types.js';
