import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Prefixes make a leaked token findable by scanners and unusable for the other kind's doors. */
const PREFIX = { user: 'hf_user_', agent: 'hf_agent_', share: 'hf_share_' } as const;
const SECRET = /^hf_(user|agent|share)_([A-Za-z0-9_-]{43})$/;

export type TokenKind = keyof typeof PREFIX;

/** A fresh secret of 256 random bits. */
export function mintToken(kind: TokenKind): string {
  return PREFIX[kind] + randomBytes(32).toString('base64url');
}

/** A fresh id, 128 random bits; no secret. */
export function mintId(): string {
  return randomBytes(16).toString('base64url');
}

/** Which kind `secret` claims to be. Absent: it is no token of ours, by its form alone. */
export function tokenKind(secret: string): TokenKind | undefined {
  const kind = SECRET.exec(secret)?.[1];
  return kind === 'user' || kind === 'agent' || kind === 'share' ? kind : undefined;
}

/**
 * What the store keeps of a token. A plain hash is enough for 256 random bits: there is no dictionary to
 * try, so a slow hash would only cost whoever has the token.
 */
export function hashToken(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/**
 * Whether two hashes are equal, in constant time. The lookup that found the record went by the hash as
 * well, but what its time tells about a SHA-256 does not lead back to the token.
 */
export function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The token of an `Authorization: Bearer` header. Absent: there is none of that form. */
export function bearerToken(header: string | undefined): string | undefined {
  const match = /^Bearer +([A-Za-z0-9._~+/=-]{1,256}) *$/i.exec(header ?? '');
  return match?.[1];
}
