import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ssh2 from 'ssh2';

/** A key pair that servers let in. */
export interface UserKey {
  readonly keyFile: string;
  /** Its public half, as a line of authorized_keys. */
  readonly authorized: string;
}

/** Makes one in `folder`. */
export function makeUserKey(folder: string): UserKey {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pair = ssh2.utils.generateKeyPairSync('ed25519');
  const keyFile = path.join(folder, 'user_key');
  writeFileSync(keyFile, pair.private, { mode: 0o600 });
  writeFileSync(`${keyFile}.pub`, `${pair.public}\n`);
  return { keyFile, authorized: pair.public };
}
