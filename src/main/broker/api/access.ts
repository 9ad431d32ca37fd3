import { HoldfastError } from '../../../shared/common/index.js';
import type { StoreTransaction, UserTokenRecord, WorkspaceRecord } from '../store/index.js';

/** Whether `token` reaches the workspace at all. An admin's reaches every one. */
export function reaches(token: UserTokenRecord, workspaceId: string): boolean {
  return (
    token.role === 'admin' || token.workspaces === 'all' || token.workspaces.includes(workspaceId)
  );
}

/**
 * The workspace of that name.
 * @throws {HoldfastError} ERR_WORKSPACE_NOT_FOUND also if the token does not reach it: names of others
 *   are not to be found out.
 */
export function requireWorkspace(
  transaction: StoreTransaction,
  token: UserTokenRecord,
  name: string,
): WorkspaceRecord {
  const record = transaction.workspaceByName(name);
  if (record === undefined || !reaches(token, record.id))
    throw new HoldfastError(
      'ERR_WORKSPACE_NOT_FOUND',
      `no workspace ${JSON.stringify(name.slice(0, 64))}`,
    );
  return record;
}

/** @throws {HoldfastError} ERR_FORBIDDEN unless it is an admin's token. */
export function requireAdmin(token: UserTokenRecord): void {
  if (token.role !== 'admin')
    throw new HoldfastError('ERR_FORBIDDEN', 'this needs a token of role admin');
}
