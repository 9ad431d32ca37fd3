/**
 * Broker and agent as the command line runs them, in a process of their own or as children of `up`. The
 * only place of the command line that calls their libraries.
 */
export { runAgent } from './agent-service.js';
export { runBroker, type RunningBroker } from './broker-service.js';
export type { AgentSettings, BrokerSettings, LogSettings } from './types.js';
export { untilSignal } from './until-signal.js';
