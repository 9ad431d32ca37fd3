/** What the broker remembers, behind an interface; the only importer of lmdb. */
export { openLmdbStore } from './lmdb-store.js';
export type {
  AgentTokenRecord,
  AuditRecord,
  ShareRecord,
  Store,
  StoreTransaction,
  TokenRecord,
  UserTokenRecord,
  WorkspaceRecord,
} from './types.js';
