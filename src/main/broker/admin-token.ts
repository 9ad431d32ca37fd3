import { join } from 'node:path';
import { readSecretFile, writeSecretFile } from '../../shared/node/state/index.js';
import { hashToken, mintToken } from './auth/index.js';
import type { Store } from './store/index.js';

const OPERATOR = 'operator';

/**
 * Sees to it that `admin-token` in the state folder holds a token that works, for whoever runs the
 * broker: who can read the folder owns the broker anyhow. Returns the path of the file.
 */
export async function ensureAdminToken(stateDir: string, store: Store): Promise<string> {
  const path = join(stateDir, 'admin-token');
  const hash = hashToken((await readSecretFile(path))?.toString('utf8').trim() ?? '');
  const known = await store.read((transaction) => transaction.tokenByHash(hash));
  if (known?.kind === 'user' && known.role === 'admin') return path;
  const secret = mintToken('user');
  await store.write((transaction) => {
    transaction.putToken({
      kind: 'user',
      id: OPERATOR,
      hash: hashToken(secret),
      name: OPERATOR,
      role: 'admin',
      workspaces: 'all',
      scopes: ['owner'],
      createdAt: Date.now(),
    });
    transaction.audit({
      at: Date.now(),
      action: 'token.created',
      object: OPERATOR,
      detail: 'written to the state folder',
    });
  });
  await writeSecretFile(path, `${secret}\n`);
  return path;
}
