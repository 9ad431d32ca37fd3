import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import ssh2 from 'ssh2';
import { HoldfastError } from '../../../shared/common/index.js';
import { PayloadWriter } from './internals.js';

/** What clients need to know of a host key to pin it. */
export interface HostKeyInfo {
  /** `ssh-ed25519 AAAA...`, as in a known_hosts line after the host. */
  readonly publicKey: string;
  /** `SHA256:...` as OpenSSH prints it. */
  readonly fingerprint: string;
}

const KEY_TYPE = 'ssh-ed25519';
const PEM_LINE = 70;
/** Cipher block of an unencrypted key; its private part is padded to it. */
const BLOCK = 8;

/**
 * A new Ed25519 host key, private, in OpenSSH PEM form (OpenSSH PROTOCOL.key). The caller keeps it in the
 * state folder, 0600. Not by ssh2's generator: that one drops leading zero bytes of the public half, so
 * that one key in 256 cannot be read by anybody.
 */
export function generateHostKey(): string {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return openSshPrivateKey(
    Buffer.from(x as string, 'base64url'),
    Buffer.from(d as string, 'base64url'),
  );
}

/** The PEM of one key from its 32-byte public half and 32-byte seed. */
export function openSshPrivateKey(publicKey: Uint8Array, seed: Uint8Array): string {
  const publicBlob = new PayloadWriter().string(KEY_TYPE).string(publicKey).finish();
  const check = randomBytes(4).readUInt32BE();
  const secret = new PayloadWriter()
    .uint32(check)
    .uint32(check)
    .string(KEY_TYPE)
    .string(publicKey)
    .string(Buffer.concat([seed, publicKey]))
    .string('holdfast host key')
    .finish();
  const padding = (BLOCK - (secret.length % BLOCK)) % BLOCK;
  const padded = Buffer.concat([
    secret,
    Buffer.from(Array.from({ length: padding }, (_, i) => i + 1)),
  ]);
  const body = new PayloadWriter()
    .string('none')
    .string('none')
    .string('')
    .uint32(1)
    .string(publicBlob)
    .string(padded)
    .finish();
  const base64 = Buffer.concat([Buffer.from('openssh-key-v1\0'), body]).toString('base64');
  const lines = base64.match(new RegExp(`.{1,${String(PEM_LINE)}}`, 'g')) ?? [];
  return [
    '-----BEGIN OPENSSH PRIVATE KEY-----',
    ...lines,
    '-----END OPENSSH PRIVATE KEY-----',
    '',
  ].join('\n');
}

/** @throws {HoldfastError} ERR_CONFIG if `hostKey` is no private key. */
export function hostKeyInfo(hostKey: string): HostKeyInfo {
  const key = ssh2.utils.parseKey(hostKey);
  if (key instanceof Error || !key.isPrivateKey()) {
    throw new HoldfastError('ERR_CONFIG', 'the host key cannot be read');
  }
  const blob = key.getPublicSSH();
  const hash = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  return { publicKey: `${key.type} ${blob.toString('base64')}`, fingerprint: `SHA256:${hash}` };
}
