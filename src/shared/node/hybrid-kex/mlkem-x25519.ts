import {
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';

const X25519_BYTES = 32;
const MLKEM_PUBLIC_BYTES = 1_184;
const MLKEM_CIPHERTEXT_BYTES = 1_088;

/** Lengths of what either side sends: its half of ML-KEM-768 (FIPS 203 section 8), then of X25519. */
export const HYBRID_BYTES = {
  init: MLKEM_PUBLIC_BYTES + X25519_BYTES,
  reply: MLKEM_CIPHERTEXT_BYTES + X25519_BYTES,
} as const;

/** SubjectPublicKeyInfo of an X25519 key up to the key itself (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');
const ALL_ZERO = Buffer.alloc(X25519_BYTES);

/** What the answering side has. */
export interface HybridAnswer {
  /** To be sent. */
  readonly reply: Buffer;
  /** 32 bytes; in SSH a *string*, not an mpint. */
  readonly secret: Buffer;
}

/** The beginning side, between what it sends and what comes back. */
export interface HybridBeginning {
  /** To be sent. */
  readonly init: Buffer;
  /** The secret, 32 bytes. Works once, since the private keys are forgotten. @throws {Error} for a bad reply. */
  readonly finish: (reply: Uint8Array) => Buffer;
}

/**
 * The server's side of draft-ietf-sshm-mlkem-hybrid-kex: encapsulates to the client's ML-KEM-768 key, agrees on
 * X25519, and hashes both secrets together, so that whoever wants the result must break both.
 * @throws {Error} for a wrong length, an ML-KEM key whose coefficients are not reduced (FIPS 203 section 7.2), and
 *   an X25519 key of small order.
 */
export function answerHybrid(init: Uint8Array): HybridAnswer {
  checkLength('client', init, HYBRID_BYTES.init);
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(
    Uint8Array.from(init.subarray(0, MLKEM_PUBLIC_BYTES)),
  );
  const own = generateKeyPairSync('x25519');
  const classical = agree(own.privateKey, init.subarray(MLKEM_PUBLIC_BYTES));
  return {
    reply: Buffer.concat([cipherText, rawPublicKey(own.publicKey)]),
    secret: combine(sharedSecret, classical),
  };
}

let prepared: HybridBeginning | undefined;

/**
 * Makes the keys of the next {@link beginHybrid}. The first ones of a process take 30 ms of a thread, most of them for
 * code that has never run, and something else can be waited for meanwhile.
 */
export function prepareHybrid(): void {
  prepared ??= makeKeys();
}

/** The client's side, with new keys of each kind. */
export function beginHybrid(): HybridBeginning {
  const beginning = prepared ?? makeKeys();
  prepared = undefined;
  return beginning;
}

function makeKeys(): HybridBeginning {
  const mlkem = ml_kem768.keygen();
  const own = generateKeyPairSync('x25519');
  let privateKey: KeyObject | undefined = own.privateKey;
  return {
    init: Buffer.concat([mlkem.publicKey, rawPublicKey(own.publicKey)]),
    finish: (reply) => {
      checkLength('server', reply, HYBRID_BYTES.reply);
      if (privateKey === undefined) throw new Error('the private keys were used before');
      const classical = agree(privateKey, reply.subarray(MLKEM_CIPHERTEXT_BYTES));
      const cipherText = Uint8Array.from(reply.subarray(0, MLKEM_CIPHERTEXT_BYTES));
      const secret = combine(ml_kem768.decapsulate(cipherText, mlkem.secretKey), classical);
      mlkem.secretKey.fill(0);
      privateKey = undefined;
      return secret;
    },
  };
}

function combine(postQuantum: Uint8Array, classical: Buffer): Buffer {
  const secret = createHash('sha256').update(postQuantum).update(classical).digest();
  postQuantum.fill(0);
  classical.fill(0);
  return secret;
}

function checkLength(whose: string, { length }: Uint8Array, expected: number): void {
  if (length === expected) return;
  throw new Error(`the ${whose}'s keys are ${String(length)} bytes, not ${String(expected)}`);
}

/** @throws {Error} if the other key makes the result zero, whatever ours is (RFC 8731 section 3). */
function agree(privateKey: KeyObject, raw: Uint8Array): Buffer {
  const key = Buffer.concat([SPKI_PREFIX, raw]);
  const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
  const secret = diffieHellman({ privateKey, publicKey });
  // OpenSSL refuses it as well; that it does is no promise of Node's.
  if (timingSafeEqual(secret, ALL_ZERO)) throw new Error('the X25519 key has a small order');
  return secret;
}

function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX.length);
}
