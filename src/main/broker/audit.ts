import type { Logger } from '../../shared/common/index.js';
import type { AuditRecord, Store } from './store/index.js';

/**
 * Writes audit records of things that change nothing in the store themselves (changes write theirs in
 * their own transaction). Nobody waits for these; a record that cannot be written is logged instead.
 */
export class AuditTrail {
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #pending = new Set<Promise<void>>();

  constructor(store: Store, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  record(record: Omit<AuditRecord, 'at'>): void {
    const write = this.#store
      .write((transaction) => {
        transaction.audit({ at: Date.now(), ...record });
      })
      .catch((error: unknown) => {
        this.#logger.error('audit record not written', { ...record, error });
      });
    this.#pending.add(write);
    void write.finally(() => this.#pending.delete(write));
  }

  /** Resolves when every record so far is on disk or logged. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }
}
