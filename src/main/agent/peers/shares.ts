import {
  HoldfastError,
  limits,
  type Clock,
  type ErrorRecord,
  type Logger,
  type Timer,
} from '../../../shared/common/index.js';
import type { ShareClaim } from '../../../shared/common/wire/index.js';

/** A connection that came through a share link, as far as this file needs it. */
export interface SharePeer {
  /** The key that its client proves to hold; the same when a client comes again. */
  readonly clientKey: string;
  /** Ends it at once: no byte more in either direction but the reason. */
  expel(error: ErrorRecord): void;
  /** Ends it, since its own client has another connection now. */
  disconnect(): void;
  /** Resolves when it has ended. Never rejects. */
  readonly ended: Promise<unknown>;
}

interface Share {
  /** As the newest ticket states them. */
  readonly cap: number;
  /** Milliseconds since the epoch. Absent: until revoked. */
  readonly expiresAt: number | undefined;
  /** In the order in which they came. */
  readonly peers: Set<SharePeer>;
}

export interface SharesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Wall clock in ms; links expire in real time. */
  readonly now?: () => number;
}

const REVOKED = { code: 'ERR_SHARE_REVOKED', message: 'this link was revoked' } as const;
const EXPIRED = { code: 'ERR_SHARE_EXPIRED', message: 'this link has expired' } as const;

/**
 * The agent's share links: those that have peers now. Counts them, and ends them when their link expires
 * or is revoked. What a link allows is in the ticket; who holds its secret is the broker's to know.
 */
export class Shares {
  readonly #options: SharesOptions;
  readonly #now: () => number;
  readonly #shares = new Map<string, Share>();
  /** Revoked ids, oldest first, with the time from which on no ticket made before can be good. */
  readonly #revoked = new Map<string, number>();
  #timer: Timer | undefined;

  constructor(options: SharesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Ids of those that have peers; at most one per peer. */
  get live(): string[] {
    return [...this.#shares.keys()];
  }

  /**
   * Whether one more may come. A client that comes again while its old connection is still counted is
   * let in, to take the place of that.
   * @throws {HoldfastError} ERR_SHARE_REVOKED, ERR_SHARE_EXPIRED, ERR_SHARE_FULL.
   */
  require({ id, cap, exp }: ShareClaim, clientKey: string): void {
    this.#forgetRevoked();
    if (this.#revoked.has(id)) throw errorOf(REVOKED);
    if (exp !== undefined && exp * 1_000 <= this.#now()) throw errorOf(EXPIRED);
    const peers = [...(this.#shares.get(id)?.peers ?? [])];
    if (peers.length >= cap && !peers.some((peer) => peer.clientKey === clientKey))
      throw new HoldfastError(
        'ERR_SHARE_FULL',
        `this link allows ${String(cap)} at a time, and as many are there`,
      );
  }

  /** Counts a peer that {@link require} let in, until it has ended. */
  add({ id, cap, exp }: ShareClaim, peer: SharePeer): void {
    const peers = this.#shares.get(id)?.peers ?? new Set();
    peers.add(peer);
    const expiresAt = exp === undefined ? undefined : exp * 1_000;
    this.#shares.set(id, { cap, expiresAt, peers });
    this.#watch();
    void peer.ended.then(() => {
      peers.delete(peer);
      if (peers.size === 0 && this.#shares.get(id)?.peers === peers) this.#shares.delete(id);
      if (this.#shares.size === 0) this.close();
    });
  }

  /** `peer` has proved who it is: older connections of the same client give way if they are one too many. */
  authenticated(id: string, peer: SharePeer): void {
    const share = this.#shares.get(id);
    if (share === undefined) return;
    let tooMany = share.peers.size - share.cap;
    for (const other of share.peers) {
      if (tooMany <= 0) return;
      if (other === peer || other.clientKey !== peer.clientKey) continue;
      other.disconnect();
      tooMany -= 1;
    }
  }

  /** Ends the peers of these links now, and refuses whoever comes by a ticket made before. */
  revoke(ids: readonly string[]): void {
    const until = this.#now() + limits.TICKET_MS + 2 * limits.TICKET_SKEW_MS;
    for (const id of ids) {
      this.#revoked.delete(id);
      this.#revoked.set(id, until);
      this.#expel(id, REVOKED);
    }
    this.#forgetRevoked();
  }

  /** Stops looking at the clock. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #expel(id: string, error: ErrorRecord): void {
    const share = this.#shares.get(id);
    if (share === undefined) return;
    const { size } = share.peers;
    this.#options.logger.info('share link ended', { share: id, code: error.code, peers: size });
    // The next one to come is counted anew; these are on their way out.
    this.#shares.delete(id);
    for (const peer of share.peers) peer.expel(error);
  }

  /** Looks again at the next end of a link, and now and then in between: the wall clock may be set. */
  #watch(): void {
    this.#timer?.cancel();
    const ends = [...this.#shares.values()].map(({ expiresAt }) => expiresAt ?? Infinity);
    const next = Math.min(...ends);
    if (next === Infinity) return;
    const wait = Math.min(Math.max(0, next - this.#now()), limits.SHARE_CHECK_MS);
    this.#timer = this.#options.clock.after(wait, () => {
      const now = this.#now();
      for (const [id, { expiresAt }] of [...this.#shares])
        if (expiresAt !== undefined && expiresAt <= now) this.#expel(id, EXPIRED);
      this.#watch();
    });
  }

  #forgetRevoked(): void {
    const now = this.#now();
    for (const [id, until] of this.#revoked) {
      if (until > now && this.#revoked.size <= limits.SHARES_REVOKED) return;
      this.#revoked.delete(id);
    }
  }
}

function errorOf({ code, message }: ErrorRecord): HoldfastError {
  return new HoldfastError(code, message);
}
