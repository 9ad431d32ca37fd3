/** The `framed` engine over what Node offers: sockets and WebSockets. Runs on any thread. */
export {
  framedOverDuplex,
  framedOverFd,
  framedOverSocket,
  reusedBuffer,
  type FramedOptions,
  type ReusedBuffer,
} from './over-duplex.js';
export { framedOverWebSocket } from './over-websocket.js';
export { dialFramedWebSocket, type DialFramedOptions, type FramedDial } from './dial-websocket.js';
