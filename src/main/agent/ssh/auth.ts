import { timingSafeEqual } from 'node:crypto';
import ssh2, { type AuthContext, type ParsedKey, type PublicKeyAuthContext } from 'ssh2';
import { HoldfastError } from '../../../shared/common/index.js';

/** Decides on one authentication request of a client. */
export type Authenticate = (context: AuthContext) => void;

/**
 * The one way in. Without `authorizedKeys` the method "none" is enough: a connection exists only for a
 * peer that proved who it is before (see DESIGN 5), so its SSH user name means nothing and no password
 * could add anything. With them a signature by one of the keys is needed, and "none" is refused.
 * @throws {HoldfastError} ERR_CONFIG for a line that is no public key.
 */
export function createAuthenticate(authorizedKeys: readonly string[] | undefined): Authenticate {
  if (authorizedKeys === undefined) {
    return (context) => {
      if (context.method === 'none') context.accept();
      else context.reject([]);
    };
  }
  const keys = authorizedKeys.map(parsePublicKey);
  return (context) => {
    if (context.method !== 'publickey') {
      context.reject(['publickey']);
      return;
    }
    // One path for a question and a login: ssh2 answers an accepted context without a signature with
    // PK_OK, which logs nobody in.
    if (isAuthorized(context, keys)) context.accept();
    else context.reject(['publickey']);
  };
}

function isAuthorized(context: PublicKeyAuthContext, keys: readonly ParsedKey[]): boolean {
  const { algo, data } = context.key;
  const key = keys.find((candidate) => candidate.type === algo && sameBytes(candidate, data));
  if (key === undefined) return false;
  // RSA with SHA-1 has no hash algorithm named.
  if (algo === 'ssh-rsa' && hashOf(context) === undefined) return false;
  if (context.signature === undefined) return true;
  if (context.blob === undefined || context.signature.length === 0) return false;
  return key.verify(context.blob, context.signature, hashOf(context));
}

function hashOf(context: PublicKeyAuthContext): string | undefined {
  return (context as { hashAlgo?: string | undefined }).hashAlgo;
}

function sameBytes(key: ParsedKey, data: Buffer): boolean {
  const own = key.getPublicSSH();
  return own.length === data.length && timingSafeEqual(own, data);
}

function parsePublicKey(line: string): ParsedKey {
  const parsed = ssh2.utils.parseKey(line) as ParsedKey | ParsedKey[] | Error;
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || key === undefined) {
    throw new HoldfastError('ERR_CONFIG', `not a public key: ${JSON.stringify(line.slice(0, 60))}`);
  }
  if (key.isPrivateKey()) {
    throw new HoldfastError('ERR_CONFIG', 'authorized keys hold a private key');
  }
  return key;
}
