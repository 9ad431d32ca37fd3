import { createPublicKey, randomBytes, sign, verify, type KeyObject } from 'node:crypto';
import { toBase64Url, type PeerCrypto, type Signer } from '../../common/peer-auth/index.js';

/** What peer authentication needs of the platform, by node:crypto. */
export const nodePeerCrypto: PeerCrypto = {
  randomBytes: (length) => randomBytes(length),
  verify: (publicKey, signature, data) => {
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(publicKey) },
      format: 'jwk',
    });
    return Promise.resolve(verify(null, data, key, signature));
  },
};

/** A signer by an Ed25519 private key. */
export function nodeSigner(privateKey: KeyObject): Signer {
  return (data) => Promise.resolve(sign(null, data, privateKey));
}

/** The 32 raw bytes of an Ed25519 public key in base64url, from either half of the pair. */
export function publicKeyText(key: KeyObject): string {
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  if (x === undefined) throw new TypeError('not an Ed25519 key');
  return x;
}
