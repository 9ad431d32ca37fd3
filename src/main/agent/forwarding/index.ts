/**
 * TCP and unix-socket forwarding without SSH: who may reach what, connecting, listening and joining two
 * streams. Main thread; one `ForwardListeners` per SSH connection.
 */
export { connectSocket } from './connect.js';
export { listen, type ForwardedConnection } from './listen.js';
export { ForwardListeners } from './listeners.js';
export {
  allowSocketPath,
  allowTarget,
  listenAddresses,
  type AllowedTarget,
  type ForwardingOptions,
} from './policy.js';
export { splice } from './splice.js';
