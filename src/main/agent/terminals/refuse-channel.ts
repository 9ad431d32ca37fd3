import type { ErrorRecord } from '../../../shared/common/index.js';
import { encodeAgentFrame } from '../../../shared/common/wire/index.js';
import { PortChannel } from '../../../shared/node/ports/index.js';
import type { IncomingChannel } from '../peers/types.js';

/** Tells the viewer why, where its protocol can, and closes. */
export function refuseChannel(
  channel: IncomingChannel,
  protocol: 'terminal' | 'reconnecting-pty',
  error: ErrorRecord,
): void {
  const port = new PortChannel(channel.handle);
  port.start({ message: () => undefined, credit: () => undefined, end: () => undefined });
  if (protocol === 'terminal') port.send(encodeAgentFrame({ type: 'error', ...error }));
  port.close(error);
}
