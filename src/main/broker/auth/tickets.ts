import { calculateJwkThumbprint, jwtVerify, SignJWT } from 'jose';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { HoldfastError, limits } from '../../../shared/common/index.js';
import {
  TICKET_TYPE,
  ticketClaimsSchema,
  type IssuerKey,
  type ShareClaim,
  type TicketClaims,
} from '../../../shared/common/wire/index.js';
import type { Identity } from '../../../shared/node/state/index.js';
import { mintId } from './tokens.js';

/** The broker's own claims: which token or share link the ticket came from; ending it ends what follows. */
export interface OwnTicket extends TicketClaims {
  readonly tid: string;
}

export interface TicketSubject {
  readonly workspaceId: string;
  readonly subject: string;
  readonly tokenId: string;
  readonly scopes: readonly string[];
  readonly publicKey: string;
  /** The share link behind the ticket; `tokenId` is then its id. Absent: a token is behind it. */
  readonly share?: ShareClaim | undefined;
}

/** Mints tickets and knows its own again. */
export class TicketIssuer {
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #issuer: string;
  readonly key: IssuerKey;

  private constructor(identity: Identity, issuer: string, kid: string) {
    this.#privateKey = identity.privateKey;
    this.#publicKey = createPublicKey(identity.privateKey);
    this.#issuer = issuer;
    this.key = { kid, key: identity.publicKey };
  }

  /** `issuer` goes into `iss`. The key id is the RFC 7638 thumbprint, so it follows the key. */
  static async create(identity: Identity, issuer: string): Promise<TicketIssuer> {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: identity.publicKey };
    return new TicketIssuer(identity, issuer, await calculateJwkThumbprint(jwk));
  }

  /** A ticket good for one connection within TICKET_MS. */
  async issue(subject: TicketSubject): Promise<{ readonly ticket: string; readonly id: string }> {
    const id = mintId();
    // One reading of the clock for both, so that the life never comes out a second longer.
    const now = Math.floor(Date.now() / 1_000);
    const ticket = await new SignJWT({
      scope: [...subject.scopes],
      cnf: { jwk: { kty: 'OKP', crv: 'Ed25519', x: subject.publicKey } },
      tid: subject.tokenId,
      ...(subject.share === undefined ? {} : { shr: subject.share }),
    })
      .setProtectedHeader({ alg: 'EdDSA', typ: TICKET_TYPE, kid: this.key.kid })
      .setIssuer(this.#issuer)
      .setAudience(subject.workspaceId)
      .setSubject(subject.subject)
      .setJti(id)
      .setIssuedAt(now)
      .setExpirationTime(now + limits.TICKET_MS / 1_000)
      .sign(this.#privateKey);
    if (ticket.length > limits.TICKET_BYTES)
      throw new HoldfastError('ERR_INVALID_ARGUMENT', 'these scopes are too long for one ticket');
    return { ticket, id };
  }

  /**
   * The claims of a ticket of our own. Its single use is up to the agent and, at this door, the caller.
   * @throws {HoldfastError} ERR_TICKET without telling what is wrong with it.
   */
  async verify(ticket: string): Promise<OwnTicket> {
    try {
      const { payload, protectedHeader } = await jwtVerify(ticket, this.#publicKey, {
        algorithms: ['EdDSA'],
        typ: TICKET_TYPE,
        requiredClaims: ['aud', 'sub', 'jti', 'iat', 'exp'],
        maxTokenAge: limits.TICKET_MS / 1_000,
      });
      if (protectedHeader.kid !== this.key.kid) throw new TypeError('another key');
      const claims = ticketClaimsSchema.parse(payload);
      if (typeof payload['tid'] !== 'string') throw new TypeError('no token id');
      return { ...claims, tid: payload['tid'] };
    } catch (error) {
      throw new HoldfastError('ERR_TICKET', 'the ticket was not accepted', { cause: error });
    }
  }
}
