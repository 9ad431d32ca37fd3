/** Signalling: the standing links of agents, the short sessions of clients, and what passes between. */
export { AgentLink } from './agent-link.js';
export { ClientSession, type SessionServices } from './client-session.js';
export { Hub } from './hub.js';
export { IceServers, type IceOptions } from './ice.js';
export { Upgrades, type UpgradeHandler } from './upgrades.js';
