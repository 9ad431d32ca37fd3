import { toErrorRecord } from '../../shared/common/index.js';
import { formatTime } from '../../shared/common/recording/index.js';
import type { RecordingInfo } from '../../shared/common/wire/index.js';
import type { WorkspaceConnection } from '../connection/index.js';
import { el, icon } from '../dom.js';
import { recordingPath, workspacePath } from '../routes.js';
import { connectionBanner } from '../views/connection-banner.js';
import { problem } from '../views/problem.js';
import { header, type View } from '../views/view.js';

const REFRESH_MS = 5_000;

/** The recordings of one workspace. */
export function recordingsView(connection: WorkspaceConnection, signIn: () => void): View {
  const { workspace } = connection;
  const banner = connectionBanner(connection, signIn);
  const list = el('ul', { class: 'list', 'aria-label': 'Recordings' });
  const status = el('div', {});
  let shown = '';

  const refresh = async (): Promise<void> => {
    if (connection.state.type !== 'connected') return;
    try {
      const recordings = await connection.recordings();
      const now = JSON.stringify(recordings);
      if (now === shown) return;
      shown = now;
      const empty = 'No recordings. Make one with `holdfast record` on the command line.';
      status.replaceChildren(
        ...(recordings.length === 0 ? [el('p', { class: 'empty' }, empty)] : []),
      );
      list.replaceChildren(...recordings.map(row));
    } catch (error) {
      const { code } = toErrorRecord(error);
      if (code !== 'ERR_PEER_LOST' && code !== 'ERR_CLOSED') status.replaceChildren(problem(error));
    }
  };
  const act = (work: Promise<unknown>): void => {
    work.then(refresh, (error: unknown) => {
      status.replaceChildren(problem(error));
    });
  };
  const row = (info: RecordingInfo): HTMLElement => {
    const isRunning = info.state === 'recording';
    const label = isRunning ? `Stop ${info.name}` : `Delete ${info.name}`;
    return el(
      'li',
      { class: 'row-group' },
      el(
        'a',
        { class: 'row', href: recordingPath(workspace, info.name) },
        el('span', { class: `dot ${isRunning ? 'bad' : 'off'}`, 'aria-hidden': 'true' }),
        el(
          'span',
          { class: 'row-main' },
          el('span', { class: 'row-title' }, info.name),
          el('span', { class: 'muted row-detail' }, detail(info)),
        ),
      ),
      el(
        'button',
        {
          type: 'button',
          class: 'icon-button',
          'aria-label': label,
          title: label,
          onclick: () => {
            if (isRunning) act(connection.stopRecording(info.name));
            else if (confirm(`Delete the recording “${info.name}”?`)) {
              act(connection.deleteRecording(info.name));
            }
          },
        },
        icon(isRunning ? 'stop' : 'close'),
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
      header([{ label: workspace, path: workspacePath(workspace) }, { label: 'Recordings' }]),
      banner.element,
      el('main', { class: 'narrow' }, el('h1', {}, 'Recordings'), status, list),
    ),
    dispose: () => {
      clearInterval(timer);
      stop();
      banner.dispose();
    },
  };
}

function detail(info: RecordingInfo): string {
  const started = new Date(info.startedAt).toLocaleString([], {
    dateStyle: 'medium',
    timeStyle: 'short',
  });
  const parts = [`of ${info.terminal}`, formatTime(info.durationMs), started];
  if (info.state === 'recording') parts.push('being recorded');
  if (info.state === 'interrupted') parts.push('interrupted');
  if (info.missing > 0) parts.push('with gaps');
  return parts.join(' · ');
}
