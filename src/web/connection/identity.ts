import { HoldfastError } from '../../shared/common/index.js';
import { toBase64Url, type PeerCrypto, type Signer } from '../../shared/common/peer-auth/index.js';

/** The page's key for one document: made when first needed, never stored, not extractable. */
export interface Identity {
  /** Raw public key in base64url, 43 characters. */
  readonly publicKey: string;
  readonly sign: Signer;
}

/** @throws {HoldfastError} ERR_UNSUPPORTED where the browser has no Ed25519 or the page no secure origin. */
export async function createIdentity(): Promise<Identity> {
  let pair: CryptoKeyPair;
  let raw: ArrayBuffer;
  try {
    pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    raw = await crypto.subtle.exportKey('raw', pair.publicKey);
  } catch (error) {
    throw new HoldfastError('ERR_UNSUPPORTED', 'this browser cannot make an Ed25519 key', {
      cause: error,
      hint: 'Use a current browser, and open the page over https or from localhost.',
    });
  }
  return {
    publicKey: toBase64Url(new Uint8Array(raw)),
    sign: async (data) =>
      new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, new Uint8Array(data))),
  };
}

/** The handshake's Ed25519 and randomness, from WebCrypto. */
export const webCrypto: PeerCrypto = {
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  verify: async (publicKey, signature, data) => {
    try {
      const key = await crypto.subtle.importKey(
        'raw',
        new Uint8Array(publicKey),
        'Ed25519',
        false,
        ['verify'],
      );
      return await crypto.subtle.verify(
        'Ed25519',
        key,
        new Uint8Array(signature),
        new Uint8Array(data),
      );
    } catch {
      // A key or signature of the wrong shape proves nothing.
      return false;
    }
  },
};
