/**
 * TCP and unix-socket forwarding without SSH: who may reach what, connecting, listening and joining two
 * streams. Main thread; one `ForwardListeners` per SSH connection.
 */
export { connectSocket } from './connect.js';
export { ForwardListeners, type ForwardedConnection } from './listeners.js';
export {
  allowSocketPath,
  allowTarget,
  listenAddresses,
  type AllowedTarget,
  type ForwardingOptions,
} from './policy.js';
export { splice } from './splice.js';
