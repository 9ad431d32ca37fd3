import { importJWK, jwtVerify, type CryptoKey, type JWTHeaderParameters } from 'jose';
import { HoldfastError, limits } from '../../../shared/common/index.js';
import {
  TICKET_TYPE,
  ticketClaimsSchema,
  type IssuerKey,
  type TicketClaims,
} from '../../../shared/common/wire/index.js';

export interface TicketVerifierOptions {
  /** The issuers that this agent has pinned, as of now. */
  readonly issuerKeys: () => readonly IssuerKey[];
  /** Audience. Absent: the agent has never been dialled, so no ticket can be for it. */
  readonly workspaceId: () => string | undefined;
  /** Wall clock in ms; tickets are about real time. */
  readonly now?: () => number;
}

/**
 * Checks tickets: EdDSA by a pinned issuer and nothing else, the right type, audience and time, a key to
 * be proved, and never twice. What passes here is believed for the life of the connection.
 */
export class TicketVerifier {
  readonly #options: TicketVerifierOptions;
  readonly #now: () => number;
  /** Ids of used tickets, oldest first, with the time from which on they are expired anyway. */
  readonly #used = new Map<string, number>();

  constructor(options: TicketVerifierOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Uses the ticket up. @throws {HoldfastError} ERR_TICKET, ERR_RATE_LIMITED. */
  async verify(ticket: string): Promise<TicketClaims> {
    const claims = await this.#read(ticket);
    this.#useUp(claims);
    return claims;
  }

  async #read(ticket: string): Promise<TicketClaims> {
    const audience = this.#options.workspaceId();
    if (audience === undefined || ticket.length > limits.TICKET_BYTES) throw refused('not for us');
    let payload: unknown;
    try {
      const result = await jwtVerify(ticket, (header) => this.#issuerKey(header), {
        algorithms: ['EdDSA'],
        typ: TICKET_TYPE,
        audience,
        clockTolerance: limits.TICKET_SKEW_MS / 1_000,
        currentDate: new Date(this.#now()),
        requiredClaims: ['exp', 'iat', 'jti', 'sub', 'cnf'],
      });
      payload = result.payload;
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      throw new HoldfastError('ERR_TICKET', 'ticket refused', { cause: error });
    }
    const claims = ticketClaimsSchema.safeParse(payload);
    if (!claims.success) throw refused('malformed claims');
    // A ticket that lives long would have to be remembered long.
    const latest = this.#now() + limits.TICKET_MS + limits.TICKET_SKEW_MS;
    if (claims.data.exp * 1_000 > latest) throw refused('valid for too long');
    if (claims.data.iat * 1_000 > this.#now() + limits.TICKET_SKEW_MS)
      throw refused('not yet valid');
    // Whatever an issuer may say, a link opens terminals and nothing else.
    if (claims.data.shr !== undefined && !claims.data.scope.every((one) => /^terminal:/.test(one)))
      throw refused('a share link for more than terminals');
    return claims.data;
  }

  async #issuerKey({ kid }: JWTHeaderParameters): Promise<CryptoKey | Uint8Array> {
    const issuer = this.#options.issuerKeys().find((key) => key.kid === kid);
    if (issuer === undefined) throw refused('unknown issuer');
    return await importJWK({ kty: 'OKP', crv: 'Ed25519', x: issuer.key }, 'EdDSA');
  }

  #useUp({ jti, exp }: TicketClaims): void {
    const now = this.#now();
    for (const [id, expiredAt] of this.#used) {
      if (expiredAt > now) break;
      this.#used.delete(id);
    }
    if (this.#used.has(jti)) throw refused('used before');
    if (this.#used.size >= limits.USED_TICKETS)
      throw new HoldfastError('ERR_RATE_LIMITED', 'too many tickets in a short time');
    this.#used.set(jti, exp * 1_000 + limits.TICKET_SKEW_MS);
  }
}

function refused(why: string): HoldfastError {
  return new HoldfastError('ERR_TICKET', `ticket refused: ${why}`);
}
