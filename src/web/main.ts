/**
 * The page: sign-in, workspaces, terminals. Everything is drawn here from the address; the server sends
 * the same document for all of them.
 */
import '../shared/common/wire/strict-policy.js';
import '@xterm/xterm/css/xterm.css';
import './styles/index.css';
import { WorkspaceConnection, type WorkspaceConnectionOptions } from './connection/index.js';
import { el } from './dom.js';
import { playerView } from './player/player-view.js';
import { recordingsView } from './player/recordings-view.js';
import { parseRoute, startRouter, terminalPath, type Route } from './routes.js';
import { startPageTheme } from './settings/page-theme.js';
import { guestView, loadShareSecret, lostLinkView, takeShareFragment } from './share/index.js';
import { installStrictStyles } from './terminal/strict-styles.js';
import { forgetToken, loadToken, takeFragment } from './token.js';
import { keepPageOnDrop } from './uploads/drop-target.js';
import { signInView } from './views/sign-in.js';
import { terminalsView } from './views/terminals.js';
import { header, type View } from './views/view.js';
import { workspacesView } from './views/workspaces.js';
import { followVisibleHeight } from './visible-height.js';
import { workbenchView } from './workbench/workbench.js';

installStrictStyles();
startPageTheme();
keepPageOnDrop();
followVisibleHeight();

const root = document.getElementById('app') ?? document.body;
let view: View | undefined;
/** Kept while the pages of one workspace are visited, so that going from one to another is instant. */
let connection: WorkspaceConnection | undefined;
let route: Route = { page: 'workspaces' };

function show(next: View): void {
  view?.dispose();
  view?.element.remove();
  view = next;
  // One that placed itself is left where it is, since moving it would lose the focus.
  if (next.element.parentElement !== root) root.replaceChildren(next.element);
}

function leaveWorkspace(): void {
  connection?.close();
  connection = undefined;
}

function signOut(): void {
  forgetToken();
  leaveWorkspace();
  render();
}

function askForToken(why?: string): void {
  leaveWorkspace();
  show(signInView(render, why));
}

function enterWorkspace(workspace: string, token: string): WorkspaceConnection {
  if (connection?.workspace === workspace && !connection.isShared) return connection;
  return startConnection({ workspace, token });
}

function startConnection(
  options: Omit<WorkspaceConnectionOptions, 'relayOnly'>,
): WorkspaceConnection {
  leaveWorkspace();
  const relayOnly = new URLSearchParams(location.search).get('via') === 'relay';
  connection = new WorkspaceConnection({ ...options, relayOnly });
  connection.start();
  return connection;
}

/** By a share link: with its secret in place of a token, whether or not anybody is signed in. */
function renderShare({ workspace, terminal }: Extract<Route, { page: 'share' }>): void {
  const share = loadShareSecret();
  if (share === undefined) {
    leaveWorkspace();
    show(lostLinkView());
    return;
  }
  const { secret, agentKey } = share;
  show(
    guestView({
      root,
      connection: startConnection({ workspace, token: secret, share: { agentKey, terminal } }),
      terminal,
    }),
  );
}

function render(): void {
  if (route.page === 'share') {
    renderShare(route);
    return;
  }
  const token = loadToken();
  if (token === undefined) {
    askForToken();
    return;
  }
  // The old view lets go of the connection before the new one takes it up.
  view?.dispose();
  view?.element.remove();
  view = undefined;
  switch (route.page) {
    case 'workspaces':
      leaveWorkspace();
      document.title = 'Holdfast';
      show(workspacesView({ token, signedOut: askForToken, signOut }));
      return;
    case 'terminals':
      document.title = `[${route.workspace}] Holdfast`;
      show(terminalsView(enterWorkspace(route.workspace, token), signOut));
      return;
    case 'terminal':
      show(
        workbenchView({
          root,
          connection: enterWorkspace(route.workspace, token),
          id: route.terminal,
          token,
          signIn: signOut,
        }),
      );
      return;
    case 'recordings':
      document.title = `[${route.workspace}] Recordings`;
      show(recordingsView(enterWorkspace(route.workspace, token), signOut));
      return;
    case 'recording':
      document.title = `[${route.workspace}] ${route.name}`;
      show(
        playerView({
          root,
          connection: enterWorkspace(route.workspace, token),
          name: route.name,
          signIn: signOut,
        }),
      );
      return;
    case 'unknown':
      leaveWorkspace();
      show(notFound());
      return;
  }
}

function notFound(): View {
  return {
    element: el(
      'div',
      { class: 'page' },
      header([]),
      el(
        'main',
        { class: 'narrow' },
        el('h1', {}, 'Nothing here'),
        el(
          'p',
          {},
          'This address names no workspace and no terminal. ',
          el('a', { href: '/' }, 'All workspaces'),
        ),
      ),
    ),
    dispose: () => undefined,
  };
}

/** The terminal that a sign-in link to a workspace opens, the same each time. */
const FIRST_TERMINAL = 'main';

/** Whether the address carried a credential. A link that signs in to a workspace means its shell. */
function enterByLink(): boolean {
  if (parseRoute(location.pathname).page === 'share') return takeShareFragment();
  if (!takeFragment()) return false;
  const target = parseRoute(location.pathname);
  if (target.page === 'terminals') {
    const path = terminalPath(target.workspace, FIRST_TERMINAL);
    // The list stays behind it, for going back.
    history.pushState(null, '', path + location.search);
  }
  return true;
}

// The agent learns at once that nobody looks any more, instead of by missed beats.
addEventListener('pagehide', leaveWorkspace);
addEventListener('pageshow', ({ persisted }) => {
  if (!persisted) return;
  route = parseRoute(location.pathname);
  render();
});

enterByLink();
addEventListener('hashchange', () => {
  if (!enterByLink()) return;
  leaveWorkspace();
  route = parseRoute(location.pathname);
  render();
});
startRouter((next) => {
  route = next;
  render();
});
