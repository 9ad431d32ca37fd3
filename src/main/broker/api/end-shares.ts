import { limits } from '../../../shared/common/index.js';
import { shareState } from '../auth/index.js';
import type { ShareRecord, StoreTransaction, UserTokenRecord } from '../store/index.js';
import type { ApiContext } from './context.js';

/** Who revokes, for the audit records. */
export interface Revoker {
  readonly token: UserTokenRecord;
  /** Network address. */
  readonly source: string;
}

/**
 * Marks those of `shares` that are in force as revoked, and returns them. Once the transaction is on disk
 * the caller ends what rests on them with {@link endShares}.
 */
export function revokeIn(
  transaction: StoreTransaction,
  shares: readonly ShareRecord[],
  { token, source }: Revoker,
): ShareRecord[] {
  const active = shares.filter((share) => shareState(share) === 'active');
  for (const share of active) {
    transaction.putShare({ ...share, revokedAt: Date.now() });
    transaction.audit({
      at: Date.now(),
      action: 'share.revoked',
      workspaceId: share.workspaceId,
      actor: token.id,
      subject: token.name,
      object: share.id,
      source,
      detail: share.name,
    });
  }
  return active;
}

/**
 * Ends what rests on revoked share links. The agents come first: they tell their peers why and end them,
 * those on a relay of ours too, which is cut soon after in any case.
 */
export function endShares({ hub, relays }: ApiContext, shares: readonly ShareRecord[]): void {
  const byWorkspace = new Map<string, string[]>();
  for (const { workspaceId, id } of shares)
    byWorkspace.set(workspaceId, [...(byWorkspace.get(workspaceId) ?? []), id]);
  for (const [workspaceId, ids] of byWorkspace) {
    const isTold = hub.revokeShares(workspaceId, ids);
    for (const id of ids) relays.endToken(id, isTold ? limits.SHARE_RELAY_CUT_MS : 0);
  }
}
