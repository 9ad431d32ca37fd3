import { parseShareFragment, type ShareSecret } from '../../shared/common/wire/index.js';

/** In the memory of this tab only: it survives a reload, and nobody finds it in the browser later. */
const key = (path: string): string => `holdfast.share.${path}`;

/**
 * Takes what a share link carries in its fragment. It is taken out of the address and the history at once,
 * so that it is neither on screenshots nor copied along; the tab keeps it for a reload.
 * @returns whether there was anything.
 */
export function takeShareFragment(): boolean {
  const secret = parseShareFragment(location.hash);
  if (secret === undefined) return false;
  sessionStorage.setItem(key(location.pathname), JSON.stringify(secret));
  history.replaceState(history.state, '', location.pathname + location.search);
  return true;
}

/** What the link to this address carried. Absent: the address was opened without it. */
export function loadShareSecret(): ShareSecret | undefined {
  const stored = sessionStorage.getItem(key(location.pathname));
  if (stored === null) return undefined;
  try {
    const { secret, agentKey } = JSON.parse(stored) as Partial<ShareSecret>;
    return parseShareFragment(`${secret ?? ''}.${agentKey ?? ''}`);
  } catch {
    return undefined;
  }
}
