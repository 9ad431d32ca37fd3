import { join } from 'node:path';
import { z } from 'zod';
import { HoldfastError, type Logger } from '../../../shared/common/index.js';
import { issuerKeySchema, type IssuerKey } from '../../../shared/common/wire/index.js';
import { readSecretFile, writeSecretFile } from '../../../shared/node/state/index.js';

const FILE = 'issuers.json';
const pinsSchema = z.object({ issuers: z.array(issuerKeySchema).min(1).max(8) });

/**
 * The keys whose tickets this agent believes. Pinned at the first dial and kept in the state folder: a
 * broker that later names other keys gets nobody in. Removing the file pins anew.
 */
export class IssuerPins {
  readonly #path: string;
  readonly #logger: Logger;
  #pinned: readonly IssuerKey[] = [];
  #storing: Promise<void> = Promise.resolve();

  constructor(stateDir: string, logger: Logger) {
    this.#path = join(stateDir, FILE);
    this.#logger = logger;
  }

  /** @throws {HoldfastError} ERR_STATE_DIR if the file is unsafe, ERR_CONFIG if it is malformed. */
  async load(): Promise<void> {
    const text = await readSecretFile(this.#path);
    if (text === undefined) return;
    try {
      this.#pinned = pinsSchema.parse(JSON.parse(text.toString())).issuers;
    } catch (error) {
      throw new HoldfastError('ERR_CONFIG', `${this.#path} does not hold issuer keys`, {
        cause: error,
      });
    }
  }

  get keys(): readonly IssuerKey[] {
    return this.#pinned;
  }

  /** What a broker names as issuers: pinned if none are yet, else only compared. */
  offer(issuers: readonly IssuerKey[]): void {
    if (this.#pinned.length === 0) {
      this.#pinned = issuers;
      this.#logger.info('issuers pinned', { kids: issuers.map(({ kid }) => kid) });
      this.#storing = writeSecretFile(this.#path, JSON.stringify({ issuers })).catch(
        (error: unknown) => {
          this.#logger.warn('issuers are pinned for this run only', { error });
        },
      );
      return;
    }
    const known = new Set(this.#pinned.map(({ key }) => key));
    if (issuers.some(({ key }) => known.has(key))) return;
    this.#logger.error('the broker names issuers that are not pinned; nobody gets in', {
      file: this.#path,
    });
  }

  /** Resolves when what was pinned is stored. */
  stored(): Promise<void> {
    return this.#storing;
  }
}
