import { toErrorRecord } from '../../shared/common/index.js';
import type { TerminalInfo } from '../../shared/common/wire/index.js';
import type { WorkspaceConnection } from '../connection/index.js';
import { el, icon } from '../dom.js';
import { describeExit } from '../panes/exit-card.js';
import { endedTerminalPath, navigate, recordingsPath, terminalPath } from '../routes.js';
import { cleanTitle } from '../terminal/untrusted-text.js';
import { connectionBanner } from './connection-banner.js';
import { problem } from './problem.js';
import { header, type View } from './view.js';

const REFRESH_MS = 3_000;

/** The terminals of one workspace, and one click to another. */
export function terminalsView(connection: WorkspaceConnection, signIn: () => void): View {
  const { workspace } = connection;
  const banner = connectionBanner(connection, signIn);
  const list = el('ul', { class: 'list', 'aria-label': 'Terminals' });
  const status = el('div', {});
  let shown = '';

  const refresh = async (): Promise<void> => {
    if (connection.state.type !== 'connected') return;
    try {
      const terminals = await connection.terminals();
      const now = JSON.stringify(terminals.map(visible));
      if (now === shown) return;
      shown = now;
      status.replaceChildren(
        ...(terminals.length === 0
          ? [
              el(
                'p',
                { class: 'empty' },
                'No terminal is running. Terminals live on in the workspace when this page is closed.',
              ),
            ]
          : []),
      );
      list.replaceChildren(...terminals.map(row));
    } catch (error) {
      // A lost connection is the banner's to tell.
      const { code } = toErrorRecord(error);
      if (code !== 'ERR_PEER_LOST' && code !== 'ERR_CLOSED') status.replaceChildren(problem(error));
    }
  };
  const row = (info: TerminalInfo): HTMLElement => {
    const name = cleanTitle(info.title) || info.id;
    const { id, epoch } = info;
    const isEnded = info.state === 'exited';
    const question = `End “${name}” and everything that runs in it?`;
    return el(
      'li',
      { class: 'row-group' },
      el(
        'a',
        {
          class: 'row',
          href:
            isEnded && epoch !== undefined
              ? endedTerminalPath(workspace, id, epoch)
              : terminalPath(workspace, id),
        },
        el('span', {
          class: `dot ${info.state === 'running' ? 'good' : 'off'}`,
          'aria-hidden': 'true',
        }),
        el(
          'span',
          { class: 'row-main' },
          el('span', { class: 'row-title' }, name),
          el('span', { class: 'muted row-detail' }, detail(info)),
        ),
        el('span', { class: 'muted viewers' }, viewers(info.viewers)),
      ),
      el(
        'button',
        {
          type: 'button',
          class: 'icon-button',
          'aria-label': `${isEnded ? 'Remove' : 'End'} ${name}`,
          title: isEnded ? 'Remove what is left of this terminal' : 'End this terminal',
          onclick: () => {
            if (!isEnded && !confirm(question)) return;
            connection.kill(id).then(refresh, (error: unknown) => {
              status.replaceChildren(problem(error));
            });
          },
        },
        icon(isEnded ? 'close' : 'stop'),
      ),
    );
  };
  const stop = connection.listen((state) => {
    if (state.type === 'connected') void refresh();
  });
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') void refresh();
  }, REFRESH_MS);

  return {
    element: el(
      'div',
      { class: 'page' },
      header(
        [{ label: workspace }],
        el('a', { class: 'button small quiet', href: recordingsPath(workspace) }, 'Recordings'),
      ),
      banner.element,
      el(
        'main',
        { class: 'narrow' },
        el(
          'div',
          { class: 'title-row' },
          el('h1', {}, workspace),
          el(
            'button',
            {
              type: 'button',
              class: 'button primary',
              onclick: () => {
                navigate(terminalPath(workspace, crypto.randomUUID()));
              },
            },
            icon('plus'),
            'New terminal',
          ),
        ),
        status,
        list,
      ),
    ),
    dispose: () => {
      clearInterval(timer);
      stop();
      banner.dispose();
    },
  };
}

/** What the row shows, so that it is rebuilt only when that changes. */
function visible(info: TerminalInfo): readonly unknown[] {
  return [info.id, info.state, info.viewers, info.title, detail(info)];
}

function detail({ state, rows, cols, createdAt, idleMs, exit }: TerminalInfo): string {
  const parts = [`${String(cols)}×${String(rows)}`];
  const started = Date.parse(createdAt);
  if (!Number.isNaN(started)) {
    const today = new Date(started).toDateString() === new Date().toDateString();
    parts.push(
      `since ${new Date(started).toLocaleString([], {
        ...(today ? {} : { dateStyle: 'medium' as const }),
        timeStyle: 'short',
      })}`,
    );
  }
  if (exit !== undefined) parts.push(describeExit(exit));
  else if (state !== 'running') parts.push(state);
  else if (idleMs > 60_000) parts.push(`idle ${duration(idleMs)}`);
  return parts.join(' · ');
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${String(minutes)} min`;
  return minutes < 48 * 60
    ? `${String(Math.floor(minutes / 60))} h`
    : `${String(Math.floor(minutes / 1_440))} days`;
}

function viewers(count: number): string {
  if (count === 0) return '';
  return count === 1 ? '1 viewer' : `${String(count)} viewers`;
}
