import ssh2, { type ParsedKey } from 'ssh2';
import { HoldfastError, wrapError } from '../../../../shared/common/index.js';
import { PayloadReader, PayloadWriter } from '../internals.js';

/** The workspace's Git key, in memory only. */
export interface GitKey {
  /** Public half in SSH form. */
  readonly blob: Buffer;
  /** Signs for an ssh-agent client; `flags` choose the hash of an RSA key. Absent: it cannot. */
  sign(data: Buffer, flags: number): Buffer | undefined;
}

const RSA_SHA2_256 = 2;
const RSA_SHA2_512 = 4;

/**
 * The key in `pem` (OpenSSH PEM; ed25519, ECDSA or RSA, without passphrase).
 * @throws {HoldfastError} ERR_GIT_KEY; the message never holds the key.
 */
export function parseGitKey(pem: string): GitKey {
  let parsed: ReturnType<typeof ssh2.utils.parseKey>;
  try {
    parsed = ssh2.utils.parseKey(pem);
  } catch (error) {
    throw wrapError(error, 'ERR_GIT_KEY', 'read the Git key');
  }
  const key = (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey | Error | undefined;
  if (key === undefined || key instanceof Error) {
    throw new HoldfastError('ERR_GIT_KEY', `the Git key cannot be read: ${key?.message ?? ''}`);
  }
  if (!key.isPrivateKey()) {
    throw new HoldfastError('ERR_GIT_KEY', 'the Git key is a public one');
  }
  return { blob: key.getPublicSSH(), sign: (data, flags) => sign(key, data, flags) };
}

function sign(key: ParsedKey, data: Buffer, flags: number): Buffer | undefined {
  const isRsa = key.type === 'ssh-rsa';
  // No SHA-1: every Git host in use refuses it.
  const hash = isRsa ? ((flags & RSA_SHA2_512) !== 0 ? 'sha512' : 'sha256') : undefined;
  if (isRsa && (flags & (RSA_SHA2_256 | RSA_SHA2_512)) === 0) return undefined;
  const signature = key.sign(data, hash) as Buffer | Error;
  if (signature instanceof Error) return undefined;
  const algorithm = isRsa ? `rsa-sha2-${hash === 'sha512' ? '512' : '256'}` : key.type;
  const bytes = key.type.startsWith('ecdsa-') ? ecdsaToSsh(signature) : signature;
  return new PayloadWriter().string(algorithm).string(bytes).finish();
}

/** OpenSSL's DER `SEQUENCE { INTEGER r, INTEGER s }` as two mpints (RFC 5656 section 3.1.2). */
function ecdsaToSsh(der: Buffer): Buffer {
  // Lengths are below 128 but for the sequence of a 521-bit curve, which takes one more byte.
  let at = der[1] === 0x81 ? 3 : 2;
  const integer = (): Buffer => {
    const length = der[at + 1] ?? 0;
    const value = der.subarray(at + 2, at + 2 + length);
    at += 2 + length;
    return value;
  };
  return new PayloadWriter().string(integer()).string(integer()).finish();
}

/** `type base64` of a public key blob, as authorized_keys and Git hosts take it. */
export function publicKeyLine(blob: Uint8Array): string {
  const type = new PayloadReader(blob).string()?.toString('latin1') ?? '';
  return `${type} ${Buffer.from(blob).toString('base64')}`;
}
