import type { ConnectionId } from '../../../shared/common/index.js';
import type { Permissions } from '../../../shared/common/wire/index.js';
import type { EngineName } from '../../../shared/node/peer/index.js';
import type { PortHandle } from '../../../shared/node/ports/index.js';

/**
 * A peer that proved who it is. Only the peers folder makes these, and the SSH server for clients of its own port,
 * which it lets do nothing before they have signed with an authorized key.
 */
export interface VerifiedPeer {
  readonly connectionId: ConnectionId;
  /** From the ticket, or `local` for the unix socket. For logs and presence. */
  readonly subject: string;
  readonly permissions: Permissions;
  /** Id of the share link that it came through, which allows terminals only. Absent: none. */
  readonly share?: string | undefined;
  readonly engine: EngineName;
  /** Ends the connection and all its channels. */
  disconnect(): void;
}

/**
 * A channel that a verified peer opened. Main routes it by `protocol` and `label` and never starts the
 * port of a terminal channel, but transfers it to the terminal's worker.
 */
export interface IncomingChannel {
  readonly peer: VerifiedPeer;
  readonly label: string;
  readonly protocol: string;
  readonly handle: PortHandle;
}
