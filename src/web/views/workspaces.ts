import { HoldfastError } from '../../shared/common/index.js';
import type { WorkspaceInfo } from '../../shared/common/wire/index.js';
import { listWorkspaces } from '../broker-api.js';
import { el } from '../dom.js';
import { workspacePath } from '../routes.js';
import { problem } from './problem.js';
import { header, type View } from './view.js';

const REFRESH_MS = 5_000;

export interface WorkspacesOptions {
  readonly token: string;
  /** The token is not accepted any more. */
  readonly signedOut: (why: string) => void;
  readonly signOut: () => void;
}

/** The workspaces that this token may see. */
export function workspacesView({ token, signedOut, signOut }: WorkspacesOptions): View {
  const abort = new AbortController();
  const list = el('ul', { class: 'list', 'aria-label': 'Workspaces' });
  const status = el('div', {}, el('p', { class: 'muted' }, 'Loading…'));
  let shown = '';

  const refresh = async (): Promise<void> => {
    try {
      const workspaces = await listWorkspaces(token, abort.signal);
      status.replaceChildren(
        ...(workspaces.length === 0
          ? [
              el(
                'p',
                { class: 'muted' },
                'There is no workspace yet. ',
                el('code', {}, 'holdfast workspace add NAME'),
                ' makes one.',
              ),
            ]
          : []),
      );
      // Replaced only if it changed, so that the focus stays where it is.
      const now = JSON.stringify(workspaces);
      if (now !== shown) list.replaceChildren(...workspaces.map(row));
      shown = now;
    } catch (error) {
      if (abort.signal.aborted) return;
      if (error instanceof HoldfastError && error.code === 'ERR_UNAUTHORIZED') {
        signedOut('The broker does not accept this token any more.');
        return;
      }
      status.replaceChildren(problem(error));
    }
  };
  void refresh();
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') void refresh();
  }, REFRESH_MS);
  return {
    element: el(
      'div',
      { class: 'page' },
      header(
        [],
        el('button', { type: 'button', class: 'button quiet', onclick: signOut }, 'Sign out'),
      ),
      el('main', { class: 'narrow' }, el('h1', {}, 'Workspaces'), status, list),
    ),
    dispose: () => {
      clearInterval(timer);
      abort.abort();
    },
  };
}

function row({ name, online }: WorkspaceInfo): HTMLElement {
  return el(
    'li',
    {},
    el(
      'a',
      { class: 'row', href: workspacePath(name) },
      el('span', { class: `dot ${online ? 'good' : 'off'}`, 'aria-hidden': 'true' }),
      el('span', { class: 'row-main' }, name),
      el('span', { class: 'muted' }, online ? 'online' : 'offline'),
    ),
  );
}
