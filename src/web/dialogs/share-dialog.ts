import { limits, type TerminalId } from '../../shared/common/index.js';
import type { ShareInfo, ShareInput } from '../../shared/common/wire/index.js';
import { createShare, listShares, revokeShare } from '../broker-api.js';
import { el } from '../dom.js';
import { problem } from '../views/problem.js';
import { showPanel } from './dialog.js';

export interface ShareDialogOptions {
  readonly token: string;
  readonly workspace: string;
  /** The terminal that is offered first, and its title. */
  readonly terminal: TerminalId;
  readonly title: string;
  readonly closed: () => void;
}

const HOUR_S = 3_600;

/** Lives of a link. Absent: until it is revoked. */
const LIVES: readonly { readonly label: string; readonly seconds: number | null }[] = [
  { label: '1 hour', seconds: HOUR_S },
  { label: '8 hours', seconds: 8 * HOUR_S },
  { label: '1 day', seconds: 24 * HOUR_S },
  { label: '7 days', seconds: 7 * 24 * HOUR_S },
  { label: 'Until I revoke it', seconds: null },
];

/** Makes links to a terminal, and ends them. */
export function showShareDialog(options: ShareDialogOptions): void {
  const { token, workspace, terminal, title } = options;
  const abort = new AbortController();
  const { signal } = abort;
  const result = el('div', { class: 'share-result', 'aria-live': 'polite' });
  const list = el('ul', { class: 'people', 'aria-label': 'Links that hold' });
  const listTitle = el('h3', { hidden: true }, 'Links that hold');

  const fail = (place: HTMLElement, error: unknown): void => {
    if (!signal.aborted) place.replaceChildren(problem(error));
  };
  const refresh = async (): Promise<void> => {
    try {
      const shares = await listShares(token, workspace, signal);
      const active = shares.filter(({ state }) => state === 'active');
      listTitle.hidden = active.length === 0;
      list.replaceChildren(...active.map(row));
    } catch (error) {
      fail(list, error);
    }
  };
  const row = (share: ShareInfo): HTMLElement =>
    el(
      'li',
      {},
      el(
        'span',
        { class: 'row-main' },
        el('span', { class: 'row-title' }, share.name),
        el('span', { class: 'muted row-detail' }, describe(share)),
      ),
      el(
        'button',
        {
          type: 'button',
          class: 'button small danger',
          'aria-label': `Revoke the link for ${share.name}`,
          onclick: () => {
            revokeShare(token, share.id, signal).then(refresh, (error: unknown) => {
              fail(result, error);
            });
          },
        },
        'Revoke',
      ),
    );

  const what = select('share-what', [
    [terminal, `This terminal: ${title}`],
    ['*', 'All terminals, later ones too'],
  ]);
  const mode = select('share-mode', [
    ['view', 'Watch'],
    ['type', 'Watch and type'],
  ]);
  const life = select(
    'share-life',
    LIVES.map(({ label }, index): [string, string] => [String(index), label]),
  );
  const name = el('input', {
    id: 'share-name',
    type: 'text',
    value: 'guest',
    maxlength: '100',
    spellcheck: 'false',
  });
  const viewers = el('input', {
    id: 'share-viewers',
    type: 'number',
    min: '1',
    max: String(limits.SHARE_MAX_VIEWERS),
    value: String(limits.SHARE_VIEWERS),
  });
  const create = async (): Promise<void> => {
    const seconds = LIVES[Number(life.value)]?.seconds;
    const input: ShareInput = {
      workspace,
      terminal: what.value,
      mode: mode.value === 'type' ? 'type' : 'view',
      name: name.value.trim() === '' ? 'guest' : name.value.trim(),
      ...(seconds === undefined ? {} : { expiresIn: seconds }),
      viewers: Math.round(Number(viewers.value)),
    };
    button.disabled = true;
    try {
      const { link } = await createShare(token, input, signal);
      result.replaceChildren(...shownLink(link, input));
      result.querySelector<HTMLElement>('.primary')?.focus();
      await refresh();
    } catch (error) {
      fail(result, error);
    } finally {
      button.disabled = false;
    }
  };
  const button = el(
    'button',
    {
      type: 'button',
      class: 'button primary',
      onclick: () => {
        void create();
      },
    },
    'Make a link',
  );
  const dialog = showPanel(
    {
      title: 'Share',
      className: 'wide share',
      closed: () => {
        abort.abort();
        options.closed();
      },
    },
    el('p', { class: 'muted' }, 'Whoever has the link is let in, without an account of their own.'),
    el(
      'div',
      { class: 'fields' },
      field('What', what),
      field('They may', mode),
      field('It holds for', life),
      field('For whom, as the others see it', name),
      field('At the same time, at most', viewers),
    ),
    el('p', { class: 'card-foot' }, button),
    result,
    listTitle,
    list,
  );
  // Enter makes the link instead of closing the dialog.
  dialog.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.target instanceof HTMLInputElement)) return;
    event.preventDefault();
    void create();
  });
  what.focus();
  void refresh();
}

/** The one time that a link is shown, with a button that copies it. */
function shownLink(link: string, { mode }: ShareInput): HTMLElement[] {
  const text = el('input', {
    type: 'text',
    readonly: true,
    value: link,
    'aria-label': 'The link',
    onfocus: () => {
      text.select();
    },
  });
  const copy = el(
    'button',
    {
      type: 'button',
      class: 'button primary',
      onclick: () => {
        navigator.clipboard.writeText(link).then(
          () => {
            copy.textContent = 'Copied';
          },
          () => {
            text.focus();
            copy.textContent = 'Copy it by hand';
          },
        );
      },
    },
    'Copy',
  );
  return [
    el('div', { class: 'share-link' }, text, copy),
    el(
      'p',
      { class: 'muted' },
      `Treat it as a password: it lets anybody ${mode === 'type' ? 'type' : 'watch'}. It is shown only now.`,
    ),
  ];
}

function describe({ terminal, mode, viewers, expiresAt }: ShareInfo): string {
  return [
    terminal === '*' ? 'all terminals' : terminal,
    mode === 'type' ? 'may type' : 'watches',
    `at most ${String(viewers)}`,
    expiresAt === undefined
      ? 'until revoked'
      : `until ${new Date(expiresAt).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })}`,
  ].join(' · ');
}

function select(id: string, options: readonly (readonly [string, string])[]): HTMLSelectElement {
  return el('select', { id }, ...options.map(([value, label]) => el('option', { value }, label)));
}

function field(label: string, control: HTMLElement): HTMLElement {
  return el('div', { class: 'field' }, el('label', { for: control.id }, label), control);
}
