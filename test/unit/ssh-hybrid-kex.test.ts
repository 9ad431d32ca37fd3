import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { answerHybrid, beginHybrid, HYBRID_BYTES } from '../../src/shared/node/hybrid-kex/index.js';

const MLKEM = { publicKey: 1_184, ciphertext: 1_088 };

test('ssh hybrid kex - both sides get the same 32 bytes, other ones each time', () => {
  const secrets = new Set<string>();
  for (let round = 0; round < 5; round += 1) {
    const { init, finish } = beginHybrid();
    const { reply, secret } = answerHybrid(init);
    assert.equal(init.length, 1_216);
    assert.equal(reply.length, 1_120);
    assert.equal(secret.length, 32);
    assert.deepEqual(finish(reply), secret);
    assert.throws(() => finish(reply), /used before/);
    secrets.add(secret.toString('hex'));
  }
  assert.equal(secrets.size, 5);
});

test('ssh hybrid kex - ML-KEM-768 gives the answers of Go and CIRCL to 100 sets of inputs', () => {
  // The accumulated test of Go's crypto/mlkem: SHAKE128 of nothing is the source of seeds, messages and random
  // ciphertexts, and what comes of them is hashed together.
  const each = { seed: 64, message: 32 };
  const rounds = 100;
  const length = rounds * (each.seed + each.message + MLKEM.ciphertext);
  const source = createHash('shake128', { outputLength: length }).digest();
  const sum = createHash('shake128', { outputLength: 32 });
  let at = 0;
  const take = (bytes: number): Uint8Array => Uint8Array.from(source.subarray(at, (at += bytes)));
  for (let round = 0; round < rounds; round += 1) {
    const { publicKey, secretKey } = ml_kem768.keygen(take(each.seed));
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, take(each.message));
    assert.deepEqual(ml_kem768.decapsulate(cipherText, secretKey), sharedSecret);
    sum.update(publicKey).update(cipherText).update(sharedSecret);
    sum.update(ml_kem768.decapsulate(take(MLKEM.ciphertext), secretKey));
  }
  const expected = '1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415';
  assert.equal(sum.digest('hex'), expected);
});

test('ssh hybrid kex - keys of a wrong length are refused on either side', () => {
  const { init } = beginHybrid();
  for (const length of [0, 1, 32, MLKEM.publicKey, HYBRID_BYTES.init - 1, HYBRID_BYTES.init + 1]) {
    const wrong = Buffer.concat([init, Buffer.alloc(1)]).subarray(0, length);
    assert.throws(() => answerHybrid(wrong), /bytes, not 1216/);
  }
  const { reply } = answerHybrid(init);
  for (const length of [0, 32, HYBRID_BYTES.reply - 1, HYBRID_BYTES.reply + 1]) {
    const wrong = Buffer.concat([reply, Buffer.alloc(1)]).subarray(0, length);
    assert.throws(() => beginHybrid().finish(wrong), /bytes, not 1120/);
  }
});

test('ssh hybrid kex - an ML-KEM key with coefficients from the modulus on is refused', () => {
  const { init } = beginHybrid();
  // Twelve bits each, in pairs of three bytes; the last 32 bytes of the key are a seed, which may be anything.
  const encode = (coefficient: number, at: number): Buffer => {
    const wrong = Buffer.from(init);
    wrong[at] = coefficient & 0xff;
    wrong[at + 1] = ((wrong[at + 1] ?? 0) & 0xf0) | (coefficient >> 8);
    return wrong;
  };
  for (const at of [0, 3, 1_149]) {
    assert.doesNotThrow(() => answerHybrid(encode(3_328, at)));
    for (const coefficient of [3_329, 3_330, 4_095]) {
      assert.throws(() => answerHybrid(encode(coefficient, at)), /modulus|publicKey/i);
    }
  }
});

test('ssh hybrid kex - an X25519 key of small order is refused on either side', () => {
  const { init } = beginHybrid();
  const { reply } = answerHybrid(init);
  // Of the points of small order (RFC 7748 section 6.1): 0, 1, p - 1, p, p + 1, and two of order 8.
  const points = [
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    `ec${'ff'.repeat(30)}7f`,
    `ed${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(30)}7f`,
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  ];
  for (const point of points) {
    const low = Buffer.from(point, 'hex');
    assert.equal(low.length, 32);
    const badInit = Buffer.concat([init.subarray(0, MLKEM.publicKey), low]);
    assert.throws(() => answerHybrid(badInit), point);
    const badReply = Buffer.concat([reply.subarray(0, MLKEM.ciphertext), low]);
    assert.throws(() => beginHybrid().finish(badReply), point);
  }
});
