import * as z from 'zod';
import { HoldfastError } from '../errors.js';
import type { TerminalId } from '../ids.js';
import { SHARE_MAX_VIEWERS } from '../limits.js';

/**
 * What a ticket may allow. `owner` allows everything; `terminal:*` stands for every terminal.
 * `view` watches, `type` also types, resizes, signals and starts terminals.
 */
export const scopeSchema = z
  .string()
  .max(96)
  .regex(/^(owner|ssh|sftp|forward|terminal:(\*|[A-Za-z0-9][A-Za-z0-9._-]{0,63}):(view|type))$/);

/**
 * The share link that a ticket came from: its id, how many may be connected through it at a time, and when
 * it expires, in seconds since the epoch (absent: when revoked). The agent ends its peers by this.
 */
const shareClaimSchema = z.object({
  id: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
  cap: z.number().int().min(1).max(SHARE_MAX_VIEWERS),
  exp: z.number().int().optional(),
});
export type ShareClaim = z.infer<typeof shareClaimSchema>;

/**
 * Claims of a ticket: a JWT signed with EdDSA by an issuer whose key the agent has pinned. Short-lived,
 * single use (`jti`), for one workspace (`aud`), bound to the client's ephemeral key (`cnf`, RFC 7800).
 */
export const ticketClaimsSchema = z.object({
  iss: z.string().max(200),
  /** Workspace id. */
  aud: z.string().max(200),
  /** Who comes, for logs and presence. Never a credential. */
  sub: z.string().min(1).max(200),
  jti: z.string().min(16).max(64),
  iat: z.number().int(),
  exp: z.number().int(),
  scope: z.array(scopeSchema).min(1).max(32),
  cnf: z.object({
    jwk: z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string().length(43) }),
  }),
  /** Absent: the ticket is that of a person's own token. */
  shr: shareClaimSchema.optional(),
});

export type TicketClaims = z.infer<typeof ticketClaimsSchema>;

/** JWT `typ` of a ticket, so that no other token of the same issuer passes for one. */
export const TICKET_TYPE = 'holdfast-ticket+jwt';

/** A public Ed25519 key: its 32 raw bytes in base64url (43 characters). */
export const publicKeySchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** Access to one terminal, from weakest to strongest. */
export type TerminalAccess = 'none' | 'view' | 'type';

/** What a verified peer may do. Built once from verified claims and never changed after. */
export class Permissions {
  readonly #scopes: ReadonlySet<string>;

  constructor(scopes: Iterable<string>) {
    this.#scopes = new Set(scopes);
  }

  /** The scopes, for logs and for the client to show. */
  list(): string[] {
    return [...this.#scopes];
  }

  isOwner(): boolean {
    return this.#scopes.has('owner');
  }

  allows(what: 'ssh' | 'sftp' | 'forward'): boolean {
    return this.isOwner() || this.#scopes.has(what);
  }

  terminalAccess(id: TerminalId): TerminalAccess {
    const has = (access: string): boolean =>
      this.#scopes.has(`terminal:${id}:${access}`) || this.#scopes.has(`terminal:*:${access}`);
    if (this.isOwner() || has('type')) return 'type';
    return has('view') ? 'view' : 'none';
  }

  /** @throws {HoldfastError} ERR_FORBIDDEN unless its holder may at least watch the terminal. */
  requireSight(id: TerminalId): void {
    if (this.terminalAccess(id) === 'none')
      throw new HoldfastError('ERR_FORBIDDEN', 'the ticket does not allow this terminal');
  }

  /** @throws {HoldfastError} ERR_FORBIDDEN unless its holder may type into the terminal, and so `what` it: end, record. */
  requireTyping(id: TerminalId, what: string): void {
    if (this.terminalAccess(id) !== 'type')
      throw new HoldfastError(
        'ERR_FORBIDDEN',
        `the ticket does not allow to ${what} this terminal`,
      );
  }

  /** @throws {HoldfastError} ERR_FORBIDDEN unless {@link allows}. */
  require(what: 'ssh' | 'sftp' | 'forward'): void {
    if (!this.allows(what))
      throw new HoldfastError('ERR_FORBIDDEN', `the ticket does not allow ${what}`);
  }
}
