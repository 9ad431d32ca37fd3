import {
  HoldfastError,
  limits,
  type ErrorRecord,
  type TerminalId,
} from '../../../shared/common/index.js';
import { encodeAgentFrame } from '../../../shared/common/wire/index.js';
import { PortChannel, type PortHandle } from '../../../shared/node/ports/index.js';
import type { TerminalsOptions } from './options.js';
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

/** The error of a terminal that cannot be there. */
export function terminalNotFound(id: TerminalId): HoldfastError {
  return new HoldfastError('ERR_TERMINAL_NOT_FOUND', `no terminal ${id}`);
}

/** @throws {HoldfastError} ERR_TERMINAL_LIMIT, ERR_TERMINAL_QUOTA. */
export function requireRoom(
  most: Pick<TerminalsOptions, 'maxTerminals' | 'maxTerminalsPerSubject'>,
  { subject, all, own }: { readonly subject: string; readonly all: number; readonly own: number },
): void {
  if (all >= most.maxTerminals) {
    throw new HoldfastError('ERR_TERMINAL_LIMIT', `there are ${String(all)} terminals already`);
  }
  if (own < most.maxTerminalsPerSubject) return;
  throw new HoldfastError(
    'ERR_TERMINAL_QUOTA',
    `${JSON.stringify(subject)} has ${String(own)} terminals already`,
  );
}
