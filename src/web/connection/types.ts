import type { ByteChannel, ErrorRecord } from '../../shared/common/index.js';
import type { HandshakeBinding } from '../../shared/common/peer-auth/index.js';

/** How the bytes travel. */
export type LinkKind = 'direct' | 'relay';

/** One established path to the agent, not yet authenticated. */
export interface Link {
  readonly kind: LinkKind;
  /** What both ends sign of it. @throws {HoldfastError} ERR_PEER_AUTH if it cannot be told. */
  binding(): HandshakeBinding;
  /** @throws {HoldfastError} ERR_PEER_LOST once it has ended. */
  openChannel(options: { readonly label: string; readonly protocol: string }): ByteChannel;
  /** Resolves once, with why it ended. Never rejects. */
  readonly closed: Promise<ErrorRecord>;
  /** Idempotent. */
  close(): void;
}
