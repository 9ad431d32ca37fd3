import { join } from 'node:path';
import { open, type Database, type RangeOptions, type RootDatabase } from 'lmdb';
import { HoldfastError, limits, once } from '../../../shared/common/index.js';
import type {
  AuditRecord,
  ShareRecord,
  Store,
  StoreTransaction,
  TokenRecord,
  WorkspaceRecord,
} from './types.js';

/** The published types lack it; LMDB takes the mode of its files from here (default 0664). */
interface FileMode {
  readonly permissionsMode: number;
}

type ShareKey = [workspaceId: string, id: string];

interface Tables {
  readonly workspaces: Database<WorkspaceRecord, string>;
  readonly workspaceNames: Database<string, string>;
  readonly tokens: Database<TokenRecord, string>;
  readonly tokenHashes: Database<string, string>;
  /** Keyed by workspace and id, so that those of a workspace lie together. */
  readonly shares: Database<ShareRecord, ShareKey>;
  /** From an id, and from a hash, to the key above. */
  readonly shareKeys: Database<ShareKey, ['id' | 'hash', string]>;
  /** Keyed by a running number, so that records of one millisecond keep their order. */
  readonly audit: Database<AuditRecord, number>;
}

/**
 * Opens the embedded store in `dir`, a folder that only this user can enter. Writes are synced to disk
 * on LMDB's own thread; reads come straight from the memory map.
 */
export function openLmdbStore(dir: string): Store {
  const root = open({
    path: join(dir, 'store.mdb'),
    noSubdir: true,
    maxDbs: 16,
    encoding: 'json',
    // A resolved write is on disk, not only visible.
    overlappingSync: false,
    ...({ permissionsMode: 0o600 } satisfies FileMode),
  });
  return new LmdbStore(root);
}

class LmdbStore implements Store {
  readonly #root: RootDatabase;
  readonly #tables: Tables;
  readonly close: () => Promise<void>;

  constructor(root: RootDatabase) {
    this.#root = root;
    this.#tables = {
      workspaces: root.openDB({ name: 'workspaces', encoding: 'json' }),
      workspaceNames: root.openDB({ name: 'workspace-names', encoding: 'json' }),
      tokens: root.openDB({ name: 'tokens', encoding: 'json' }),
      tokenHashes: root.openDB({ name: 'token-hashes', encoding: 'json' }),
      shares: root.openDB({ name: 'shares', encoding: 'json' }),
      shareKeys: root.openDB({ name: 'share-keys', encoding: 'json' }),
      audit: root.openDB({ name: 'audit', encoding: 'json' }),
    };
    this.close = once(() => this.#root.close());
  }

  /** Gets of one turn share one snapshot, so synchronous `work` sees a consistent view. */
  read<T>(work: (transaction: StoreTransaction) => T): Promise<T> {
    return attempt(() => work(transactionOn(this.#tables, false)));
  }

  /** A child transaction, since LMDB batches several of them into one and only a child can abort. */
  async write<T>(work: (transaction: StoreTransaction) => T): Promise<T> {
    return await this.#root.childTransaction(() => work(transactionOn(this.#tables, true)));
  }

  auditLog(limit: number): Promise<AuditRecord[]> {
    return attempt(() => [
      ...this.#tables.audit.getRange({ reverse: true, limit }).map(({ value }) => value),
    ]);
  }
}

/** A rejection, not a throw, so that both methods of the store fail alike. */
function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}

function transactionOn(tables: Tables, writable: boolean): StoreTransaction {
  const requireWritable = (): void => {
    if (!writable) throw new HoldfastError('ERR_INTERNAL', 'write in a read transaction');
  };
  // The promises of puts inside a transaction settle with it, which the caller awaits as a whole.
  return {
    workspace: (id) => tables.workspaces.get(id),
    workspaceByName: (name) => {
      const id = tables.workspaceNames.get(name);
      return id === undefined ? undefined : tables.workspaces.get(id);
    },
    workspaces: () => {
      const records: WorkspaceRecord[] = [];
      for (const { value: id } of tables.workspaceNames.getRange()) {
        const record = tables.workspaces.get(id);
        if (record !== undefined) records.push(record);
      }
      return records;
    },
    token: (id) => tables.tokens.get(id),
    tokenByHash: (hash) => {
      const id = tables.tokenHashes.get(hash);
      return id === undefined ? undefined : tables.tokens.get(id);
    },
    tokens: () => [...tables.tokens.getRange().map(({ value }) => value)],
    putWorkspace: (record) => {
      requireWritable();
      const old = tables.workspaces.get(record.id);
      if (old !== undefined && old.name !== record.name)
        void tables.workspaceNames.remove(old.name);
      void tables.workspaces.put(record.id, record);
      void tables.workspaceNames.put(record.name, record.id);
    },
    removeWorkspace: (id) => {
      requireWritable();
      const old = tables.workspaces.get(id);
      if (old === undefined) return;
      void tables.workspaceNames.remove(old.name);
      void tables.workspaces.remove(id);
    },
    putToken: (record) => {
      requireWritable();
      const old = tables.tokens.get(record.id);
      if (old !== undefined && old.hash !== record.hash) void tables.tokenHashes.remove(old.hash);
      void tables.tokens.put(record.id, record);
      void tables.tokenHashes.put(record.hash, record.id);
    },
    removeToken: (id) => {
      requireWritable();
      const old = tables.tokens.get(id);
      if (old === undefined) return;
      void tables.tokenHashes.remove(old.hash);
      void tables.tokens.remove(id);
    },
    share: (id) => shareBy(tables, ['id', id]),
    shareByHash: (hash) => shareBy(tables, ['hash', hash]),
    shares: (workspaceId) => {
      // Ids are base64url, all of which sorts before the tilde.
      const range =
        workspaceId === undefined ? {} : { start: [workspaceId], end: [workspaceId, '~'] };
      return [...tables.shares.getRange(range as RangeOptions).map(({ value }) => value)];
    },
    putShare: (record) => {
      requireWritable();
      const key: ShareKey = [record.workspaceId, record.id];
      void tables.shares.put(key, record);
      void tables.shareKeys.put(['id', record.id], key);
      void tables.shareKeys.put(['hash', record.hash], key);
    },
    removeShare: (id) => {
      requireWritable();
      const old = shareBy(tables, ['id', id]);
      if (old === undefined) return;
      void tables.shareKeys.remove(['id', id]);
      void tables.shareKeys.remove(['hash', old.hash]);
      void tables.shares.remove([old.workspaceId, id]);
    },
    audit: (record) => {
      requireWritable();
      const [last = 0] = tables.audit.getKeys({ reverse: true, limit: 1 });
      void tables.audit.put(last + 1, record);
      void tables.audit.remove(last + 1 - limits.AUDIT_RECORDS);
    },
  };
}

function shareBy(tables: Tables, by: ['id' | 'hash', string]): ShareRecord | undefined {
  const key = tables.shareKeys.get(by);
  return key === undefined ? undefined : tables.shares.get(key);
}
