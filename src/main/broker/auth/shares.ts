import { HoldfastError } from '../../../shared/common/index.js';
import type { ShareInfo } from '../../../shared/common/wire/index.js';
import type { ShareRecord } from '../store/index.js';

/** What has become of a share link by `now`. Revoked counts more than expired. */
export function shareState(share: ShareRecord, now = Date.now()): ShareInfo['state'] {
  if (share.revokedAt !== undefined) return 'revoked';
  return share.expiresAt !== undefined && share.expiresAt <= now ? 'expired' : 'active';
}

/** @throws {HoldfastError} ERR_SHARE_REVOKED, ERR_SHARE_EXPIRED. Only holders of the secret get here. */
export function requireInForce(share: ShareRecord): void {
  switch (shareState(share)) {
    case 'revoked':
      throw new HoldfastError('ERR_SHARE_REVOKED', 'this link was revoked');
    case 'expired':
      throw new HoldfastError('ERR_SHARE_EXPIRED', 'this link has expired');
    case 'active':
  }
}

/** The one scope that its tickets have. */
export function shareScope({ terminal, mode }: ShareRecord): string {
  return `terminal:${terminal}:${mode}`;
}

/** Who its holders are called. Brackets cannot be in the name of a token, so nobody is taken for another. */
export function shareSubject({ name }: ShareRecord): string {
  return `${name} (link)`;
}
