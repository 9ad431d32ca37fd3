/**
 * How the agent stays reachable: the dialer that speaks to the broker, and the loop that dials again and
 * again. Main thread. Knows nothing of what becomes of an offer.
 */
export { createBrokerDialer } from './broker-dialer.js';
export { startDialLoop } from './dial-loop.js';
export type {
  BrokerDialerOptions,
  Dialed,
  DialedWorkspace,
  Dialer,
  DialLoop,
  DialLoopOptions,
  DialState,
  PeerListener,
  PeerOffer,
  SignalExchange,
} from './types.js';
