import type { Presence, PresenceRow } from '../../shared/common/wire/index.js';
import { el } from '../dom.js';
import { formatBytes, formatLatency } from '../format.js';
import type { PaneSharing } from '../panes/pane-sharing.js';
import { cleanTitle } from '../terminal/untrusted-text.js';
import { ask, showPanel } from './dialog.js';

/** Less than this is what is on its way anyway. */
const BEHIND_BYTES = 32 * 1_024;

/** Who is attached to a terminal, kept up to date while it is open. */
export class PeopleDialog {
  readonly #sharing: PaneSharing;
  readonly #list = el('ul', { class: 'people', 'aria-label': 'Who is here' });
  readonly #actions = el('p', { class: 'card-foot' });
  readonly #rest = el('p', { class: 'muted' });
  #shown = '';

  /** Shows it. */
  constructor(sharing: PaneSharing, title: string, closed: () => void) {
    this.#sharing = sharing;
    showPanel(
      { title: `Who is at “${title}”`, closed, className: 'wide' },
      this.#list,
      this.#rest,
      this.#actions,
    );
    this.update();
  }

  /** Shows what is known now. Rebuilt only if it changed, so that the focus stays where it is. */
  update(): void {
    const { presence } = this.#sharing;
    const now = JSON.stringify(presence ?? null);
    if (now === this.#shown) return;
    this.#shown = now;
    if (presence === undefined) {
      this.#list.replaceChildren();
      this.#rest.textContent = 'Not attached at the moment.';
      this.#actions.replaceChildren();
      return;
    }
    const focused = document.activeElement?.getAttribute('data-do');
    const rest = presence.viewers - presence.names.length;
    this.#list.replaceChildren(...presence.names.map((row) => this.#row(presence, row)));
    this.#rest.textContent = rest > 0 ? `and ${String(rest)} more` : '';
    this.#actions.replaceChildren(...this.#own(presence));
    if (focused !== null && focused !== undefined) {
      document.querySelector<HTMLElement>(`[data-do="${CSS.escape(focused)}"]`)?.focus();
    }
  }

  #row(presence: Presence, row: PresenceRow): HTMLElement {
    const isYou = row.id === presence.you;
    const facts = [
      row.mode === 'type' ? 'may type' : 'watches',
      row.cols === undefined || row.rows === undefined
        ? undefined
        : `${String(row.cols)}×${String(row.rows)}`,
      row.latencyMs === undefined ? undefined : formatLatency(row.latencyMs),
      row.behind >= BEHIND_BYTES ? `behind by ${formatBytes(row.behind)}` : undefined,
    ].filter((fact) => fact !== undefined);
    const name = cleanTitle(row.subject);
    const mayGive =
      presence.driver === undefined || presence.driver === presence.you || this.#sharing.isOwner;
    return el(
      'li',
      {},
      el(
        'span',
        { class: 'row-main' },
        el(
          'span',
          { class: 'row-title' },
          name,
          isYou ? el('span', { class: 'muted' }, ' (you)') : undefined,
          row.id === presence.sizeOwner ? el('span', { class: 'badge' }, 'size') : undefined,
          row.id === presence.driver ? el('span', { class: 'badge' }, 'control') : undefined,
        ),
        el('span', { class: 'muted row-detail' }, facts.join(' · ')),
      ),
      !isYou && row.mode === 'type' && row.id !== presence.driver && this.#mayType && mayGive
        ? this.#button(`give-${String(row.id)}`, 'Hand over', `Hand the control to ${name}`, () => {
            this.#sharing.ask({ type: 'hand-over', viewer: row.id });
          })
        : undefined,
      !isYou && this.#sharing.isOwner
        ? this.#button(`drop-${String(row.id)}`, 'Remove', `Remove ${name}`, () => {
            void this.#drop(row.id, name);
          })
        : undefined,
    );
  }

  /** What this viewer can do for itself. */
  #own(presence: Presence): HTMLElement[] {
    const { you, driver, sizeOwner, sizePolicy } = presence;
    const hasClaimed = sizePolicy === 'mine' && sizeOwner === you;
    const isOwner = this.#sharing.isOwner;
    const all: HTMLElement[] = [];
    if (this.#mayType) {
      if (hasClaimed) {
        all.push(
          this.#button('size', 'Release the size', undefined, () => {
            this.#sharing.ask({ type: 'release-size' });
          }),
        );
      } else if (sizePolicy !== 'mine' || isOwner) {
        all.push(
          this.#button('size', 'Keep it at my size', undefined, () => {
            this.#sharing.ask({ type: 'claim-size' });
          }),
        );
      }
    }
    if (driver !== undefined && (driver === you || isOwner)) {
      all.push(
        this.#button('release', 'Let all type', undefined, () => {
          this.#sharing.ask({ type: 'release-control' });
        }),
      );
    }
    if (driver !== you && this.#mayType && (driver === undefined || isOwner) && you !== undefined) {
      all.push(
        this.#button('take', 'Only I type', undefined, () => {
          this.#sharing.ask({ type: 'hand-over', viewer: you });
        }),
      );
    }
    if (!this.#mayType || (driver !== undefined && driver !== you && !isOwner)) {
      all.push(
        this.#button('ask', 'Ask for the control', undefined, () => {
          this.#sharing.ask({ type: 'request-control' });
        }),
      );
    }
    return all;
  }

  get #mayType(): boolean {
    return this.#sharing.mayType;
  }

  #button(
    key: string,
    label: string,
    name: string | undefined,
    onclick: () => void,
  ): HTMLButtonElement {
    return el(
      'button',
      { type: 'button', class: 'button small', 'data-do': key, 'aria-label': name, onclick },
      label,
    );
  }

  async #drop(viewer: PresenceRow['id'], name: string): Promise<void> {
    const goAhead = await ask({
      title: `Remove ${name}?`,
      body: [
        el(
          'p',
          {},
          'They are out of this terminal at once. With a link that still holds they can come back: revoke it as well.',
        ),
      ],
      yes: 'Remove',
      isDanger: true,
    });
    if (goAhead) this.#sharing.ask({ type: 'drop', viewer });
  }
}
