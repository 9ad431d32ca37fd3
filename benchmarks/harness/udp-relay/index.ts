/**
 * A UDP path with delay, loss and a narrow place between two WebRTC ends: a small C program in a process of its own,
 * and the rewriting of candidates that leads both ends over it. Runs in the process of the case.
 */
export { CandidateRewriter } from './candidates.js';
export {
  UdpRelay,
  type LinkEnd,
  type LinkFigures,
  type Path,
  type RelayLink,
} from './udp-relay.js';
