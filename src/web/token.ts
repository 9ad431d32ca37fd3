import { pinAgentKey } from './connection/pins.js';
import { parseRoute } from './routes.js';

const KEY = 'holdfast.token';

/**
 * Takes what a link carries in its fragment: `token`, and `key`, the agent's key, so that even the first
 * connection knows whom it must meet. The fragment never reaches a server; it is removed from the address
 * and the history at once, so that it is not copied along.
 * @returns whether there was a token.
 */
export function takeFragment(): boolean {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get('token');
  const key = fragment.get('key');
  if (token === null && key === null) return false;
  history.replaceState(history.state, '', location.pathname + location.search);
  const route = parseRoute(location.pathname);
  if (key !== null && 'workspace' in route) pinAgentKey(route.workspace, key);
  if (token !== null) storeToken(token);
  return token !== null;
}

/** The user token. Absent: nobody is signed in. */
export function loadToken(): string | undefined {
  return localStorage.getItem(KEY) ?? undefined;
}

export function storeToken(token: string): void {
  localStorage.setItem(KEY, token.trim());
}

export function forgetToken(): void {
  localStorage.removeItem(KEY);
}
