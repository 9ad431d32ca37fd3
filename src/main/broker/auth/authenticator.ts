import type { IncomingMessage } from 'node:http';
import { HoldfastError } from '../../../shared/common/index.js';
import type {
  AgentTokenRecord,
  ShareRecord,
  Store,
  TokenRecord,
  UserTokenRecord,
} from '../store/index.js';
import type { FailureLimit } from './failure-limit.js';
import { bearerToken, hashToken, sameHash, tokenKind } from './tokens.js';

/** A request with the address that it came from. */
type Request = Pick<IncomingMessage, 'headers' | 'socket'>;

/** Network address of the sender, for counting and audit records. */
export function addressOf(request: Request): string {
  return request.socket.remoteAddress ?? 'unknown';
}

/** Finds out who sends a request, by its bearer token. Tokens never travel in cookies or addresses. */
export class Authenticator {
  readonly #store: Store;
  readonly #failures: FailureLimit;

  constructor(store: Store, failures: FailureLimit) {
    this.#store = store;
    this.#failures = failures;
  }

  /** @throws {HoldfastError} ERR_UNAUTHORIZED, or ERR_RATE_LIMITED after too many of those. */
  async user(request: Request): Promise<UserTokenRecord> {
    const record = await this.#find(request);
    if (record?.kind !== 'user') throw this.refusal(request);
    if (record.expiresAt !== undefined && record.expiresAt <= Date.now())
      throw this.refusal(request);
    return record;
  }

  /**
   * Whoever may ask for a ticket: the holder of a token or of a share link, which is good for nothing
   * else. Whether the link is still in force is for the caller to find out.
   * @throws {HoldfastError} as {@link user}.
   */
  async holder(request: Request): Promise<UserTokenRecord | ShareRecord> {
    const record = await this.#find(request);
    return record?.kind === 'share' ? record : await this.user(request);
  }

  /** @throws {HoldfastError} as {@link user}. */
  async agent(request: Request): Promise<AgentTokenRecord> {
    const record = await this.#find(request);
    if (record?.kind !== 'agent') throw this.refusal(request);
    return record;
  }

  /** The error for a credential that failed, counted: every cause looks the same from outside. */
  refusal(request: Request, otherwise?: HoldfastError): HoldfastError {
    return this.#failures.failed(addressOf(request))
      ? new HoldfastError('ERR_RATE_LIMITED', 'too many failed attempts')
      : (otherwise ?? new HoldfastError('ERR_UNAUTHORIZED', 'the token was not accepted'));
  }

  async #find(request: Request): Promise<TokenRecord | ShareRecord | undefined> {
    const secret = bearerToken(request.headers.authorization);
    const kind = secret === undefined ? undefined : tokenKind(secret);
    if (secret === undefined || kind === undefined) return undefined;
    const hash = hashToken(secret);
    const record = await this.#store.read((transaction) =>
      kind === 'share' ? transaction.shareByHash(hash) : transaction.tokenByHash(hash),
    );
    return record !== undefined && record.kind === kind && sameHash(record.hash, hash)
      ? record
      : undefined;
  }
}
