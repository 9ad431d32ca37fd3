import { HoldfastError, limits, type ErrorRecord } from '../../../shared/common/index.js';
import { encodeAgentFrame } from '../../../shared/common/wire/index.js';
import { PortChannel, type PortHandle } from '../../../shared/node/ports/index.js';
import type { TerminalHandle } from './terminal-handle.js';

/** Protocols of channels that lead to a terminal. */
export type TerminalProtocol = 'terminal' | 'reconnecting-pty';

/** Tells the viewer why, where its protocol can, and closes. */
export function refuse(handle: PortHandle, protocol: TerminalProtocol, error: ErrorRecord): void {
  const port = new PortChannel(handle);
  port.start({ message: () => undefined, credit: () => undefined, end: () => undefined });
  if (protocol === 'terminal') port.send(encodeAgentFrame({ type: 'error', ...error }));
  port.close(error);
}

/** @throws {HoldfastError} ERR_PEER_LIMIT. */
export function requireViewerRoom({ viewers }: TerminalHandle): void {
  if (viewers < limits.MAX_VIEWERS) return;
  throw new HoldfastError('ERR_PEER_LIMIT', 'this terminal has too many viewers');
}
