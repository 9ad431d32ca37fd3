import {
  HoldfastError,
  parseTerminalId,
  type Logger,
  type TerminalId,
} from '../../../shared/common/index.js';
import { FAULT_KINDS, PortChannel, type FaultKind } from '../../../shared/node/ports/index.js';
import type { ChannelHandler } from './channel-router.js';

export interface FaultDoorOptions {
  readonly terminalFault: (id: TerminalId, kind: FaultKind) => void;
  readonly peerFault: (kind: FaultKind) => void;
  readonly logger: Logger;
}

/**
 * The test door: a channel of protocol `fault` on the local socket kills a worker on purpose. Its label
 * says which and how: `terminal:<id>:<kind>` or `peer:<kind>`. Routed only where the agent was started with
 * the door open, and only for whoever may open the local socket.
 */
export function createFaultDoor(options: FaultDoorOptions): ChannelHandler {
  return ({ peer, label, handle }) => {
    if (peer.subject !== 'local' || !peer.permissions.isOwner()) {
      throw new HoldfastError('ERR_FORBIDDEN', 'the fault door opens on the local socket only');
    }
    const [target = '', ...rest] = label.split(':');
    const kind = faultKind(rest.at(-1));
    options.logger.warn('fault injected', { target, kind });
    if (target === 'terminal' && rest.length === 2) {
      options.terminalFault(parseTerminalId(rest[0] ?? ''), kind);
    } else if (target === 'peer' && rest.length === 1) {
      options.peerFault(kind);
    } else {
      throw new HoldfastError('ERR_CHANNEL_LABEL', 'not terminal:<id>:<kind> or peer:<kind>');
    }
    const port = new PortChannel(handle);
    port.start({ message: () => undefined, credit: () => undefined, end: () => undefined });
    port.close();
  };
}

function faultKind(text: string | undefined): FaultKind {
  const kind = FAULT_KINDS.find((name) => name === text);
  if (kind !== undefined) return kind;
  throw new HoldfastError('ERR_CHANNEL_LABEL', `a fault is one of ${FAULT_KINDS.join(', ')}`);
}
