/**
 * The client side of the `terminal` protocol over any {@link ByteChannel}, with resumption above it:
 * what was shown is never shown twice, what was typed is never typed twice, and what is missing is
 * said. Platform-free: the page and the command line use the very same code. Runs on whatever thread
 * the channel is on.
 */
export { createTerminalClient, TerminalClient } from './terminal-client.js';
export type { Sharing } from './sharing.js';
export type {
  OutputInfo,
  SnapshotInfo,
  TerminalClientHandlers,
  TerminalClientOptions,
  TerminalClientState,
} from './types.js';
