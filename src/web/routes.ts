import { parseTerminalId, type TerminalId } from '../shared/common/index.js';
import { isRecordingName } from '../shared/common/wire/index.js';
import { LOG_PARAMETER } from './arrangement/address.js';

/** What the address asks for. */
export type Route =
  | { readonly page: 'workspaces' }
  | { readonly page: 'terminals'; readonly workspace: string }
  | { readonly page: 'terminal'; readonly workspace: string; readonly terminal: TerminalId }
  /** What a share link leads to. Absent terminal: all of the workspace. */
  | {
      readonly page: 'share';
      readonly workspace: string;
      readonly terminal: TerminalId | undefined;
    }
  | { readonly page: 'recordings'; readonly workspace: string }
  | { readonly page: 'recording'; readonly workspace: string; readonly name: string }
  | { readonly page: 'unknown' };

const WORKSPACE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Reads the path of an address; anything that is no name of ours is `unknown`. */
export function parseRoute(pathname: string): Route {
  const parts = pathname.split('/').filter((part) => part !== '');
  const [w, workspace, t, terminal] = parts;
  if (parts.length === 0) return { page: 'workspaces' };
  if (w === 's') return parseShareRoute(parts.slice(1));
  if (w !== 'w' || workspace === undefined || !WORKSPACE.test(workspace)) {
    return { page: 'unknown' };
  }
  if (parts.length === 2) return { page: 'terminals', workspace };
  if (t === 'r' && parts.length === 3) return { page: 'recordings', workspace };
  if (t === 'r' && parts.length === 4 && terminal !== undefined && isRecordingName(terminal)) {
    return { page: 'recording', workspace, name: terminal };
  }
  if (parts.length !== 4 || t !== 't' || terminal === undefined) return { page: 'unknown' };
  try {
    return { page: 'terminal', workspace, terminal: parseTerminalId(terminal) };
  } catch {
    return { page: 'unknown' };
  }
}

function parseShareRoute([workspace, terminal, ...rest]: string[]): Route {
  if (workspace === undefined || !WORKSPACE.test(workspace) || rest.length > 0) {
    return { page: 'unknown' };
  }
  try {
    const id = terminal === undefined ? undefined : parseTerminalId(terminal);
    return { page: 'share', workspace, terminal: id };
  } catch {
    return { page: 'unknown' };
  }
}

export function workspacePath(workspace: string): string {
  return `/w/${workspace}`;
}

export function terminalPath(workspace: string, terminal: string): string {
  return `/w/${workspace}/t/${terminal}`;
}

/** Shows how the terminal of the log `epoch` ended, where {@link terminalPath} would start a new one. */
export function endedTerminalPath(workspace: string, terminal: string, epoch: string): string {
  return `${terminalPath(workspace, terminal)}?${LOG_PARAMETER}=${encodeURIComponent(epoch)}`;
}

export function recordingsPath(workspace: string): string {
  return `/w/${workspace}/r`;
}

export function recordingPath(workspace: string, name: string): string {
  return `/w/${workspace}/r/${name}`;
}

/** Goes to another page of ours without loading the document anew. */
export function navigate(path: string): void {
  history.pushState(null, '', path);
  dispatchEvent(new PopStateEvent('popstate'));
}

/** Calls `render` now and whenever the address changes; links of ours are followed in place. */
export function startRouter(render: (route: Route) => void): void {
  addEventListener('popstate', () => {
    render(parseRoute(location.pathname));
  });
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (
      link === null ||
      link.origin !== location.origin ||
      link.target !== '' ||
      link.hasAttribute('download') ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey ||
      event.defaultPrevented
    ) {
      return;
    }
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
  render(parseRoute(location.pathname));
}
