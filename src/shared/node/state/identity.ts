import { createPrivateKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { HoldfastError } from '../../common/index.js';
import { readSecretFile, stateError, writeSecretFile } from './secure-file.js';

const SSH_KEY_TYPE = 'ssh-ed25519';
/** Line length of the private key block, as ssh-keygen writes it. */
const PEM_LINE = 70;

/** An Ed25519 key pair in every form that Holdfast needs. */
export interface Identity {
  readonly privateKey: KeyObject;
  /** 32 raw bytes in base64url, 43 characters: the form of `publicKeySchema`. */
  readonly publicKey: string;
  /** `ssh-ed25519 AAAA...`, without a comment. */
  readonly sshPublicKey: string;
  /** The private key as OpenSSH writes it, unencrypted, for ssh2 and `ssh -i`. A secret. */
  sshPrivateKey(): string;
}

/**
 * The key pair that `dir` keeps under `name`, made on first use. Call it with the folder locked.
 * @throws {HoldfastError} ERR_STATE_DIR if the file is unsafe or holds something else.
 */
export async function loadOrCreateIdentity(dir: string, name: string): Promise<Identity> {
  const path = join(dir, `${name}.key`);
  const stored = await readSecretFile(path);
  if (stored !== undefined) {
    try {
      return identityOf(createPrivateKey(stored));
    } catch (error) {
      throw stateError(path, error);
    }
  }
  const identity = generateIdentity();
  await writeSecretFile(path, identity.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return identity;
}

/** A key pair that lives only in memory. */
export function generateIdentity(): Identity {
  return identityOf(generateKeyPairSync('ed25519').privateKey);
}

/** @throws {HoldfastError} ERR_INVALID_ARGUMENT if `privateKey` is not an Ed25519 key. */
export function identityOf(privateKey: KeyObject): Identity {
  if (privateKey.type !== 'private' || privateKey.asymmetricKeyType !== 'ed25519')
    throw new HoldfastError('ERR_INVALID_ARGUMENT', 'not a private Ed25519 key');
  const { x, d } = privateKey.export({ format: 'jwk' });
  const raw = Buffer.from(x ?? '', 'base64url');
  const sshPublic = Buffer.concat([sshString(SSH_KEY_TYPE), sshString(raw)]);
  return {
    privateKey,
    publicKey: raw.toString('base64url'),
    sshPublicKey: `${SSH_KEY_TYPE} ${sshPublic.toString('base64')}`,
    sshPrivateKey: () => openSshPrivateKey(raw, Buffer.from(d ?? '', 'base64url'), sshPublic),
  };
}

/** `openssh-key-v1` without encryption: OpenSSH's PROTOCOL.key. */
function openSshPrivateKey(raw: Buffer, seed: Buffer, sshPublic: Buffer): string {
  const check = randomBytes(4);
  const fields = Buffer.concat([
    check,
    check,
    sshPublic,
    sshString(Buffer.concat([seed, raw])),
    sshString(''),
  ]);
  // Padded to the block size of no cipher, 8, with the bytes 1, 2, 3...
  const padding = Buffer.from(
    Array.from({ length: (8 - (fields.length % 8)) % 8 }, (_, i) => i + 1),
  );
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    sshString('none'),
    sshString('none'),
    sshString(''),
    uint32(1),
    sshString(sshPublic),
    sshString(Buffer.concat([fields, padding])),
  ]).toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < body.length; at += PEM_LINE) lines.push(body.slice(at, at + PEM_LINE));
  return [
    '-----BEGIN OPENSSH PRIVATE KEY-----',
    ...lines,
    '-----END OPENSSH PRIVATE KEY-----',
    '',
  ].join('\n');
}

/** RFC 4251 section 5: length and bytes. */
function sshString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
