import { el, icon, type Child } from '../dom.js';

export interface Note {
  readonly body: readonly Child[];
  readonly actions?: readonly HTMLElement[];
  /** Goes by itself after so long. Absent: stays until it is closed or taken back. */
  readonly forMs?: number;
  /** A person may close it. Default: true. */
  readonly canClose?: boolean;
  readonly look?: 'warn' | 'quiet';
}

/** Small notes in the corner of a terminal: what was skipped, whose size it has, what is asked. */
export class PaneNotes {
  readonly element = el('div', { class: 'pane-notes', role: 'status' });
  readonly #notes = new Map<string, { readonly element: HTMLElement; timer: number | undefined }>();

  /** Shows `note` in place of the one with the same key. */
  show(key: string, note: Note): void {
    const { body, actions = [], forMs, canClose = true, look = 'quiet' } = note;
    const element = el(
      'div',
      { class: `note ${look}`, 'data-note': key },
      el('span', { class: 'note-text' }, ...body),
      ...actions,
      canClose
        ? el(
            'button',
            {
              type: 'button',
              class: 'icon-button note-close',
              'aria-label': 'Dismiss',
              onclick: () => {
                this.hide(key);
              },
            },
            icon('close'),
          )
        : undefined,
    );
    const old = this.#notes.get(key);
    clearTimeout(old?.timer);
    if (old === undefined) this.element.append(element);
    else old.element.replaceWith(element);
    const timer =
      forMs === undefined
        ? undefined
        : window.setTimeout(() => {
            this.hide(key);
          }, forMs);
    this.#notes.set(key, { element, timer });
  }

  hide(key: string): void {
    const note = this.#notes.get(key);
    if (note === undefined) return;
    clearTimeout(note.timer);
    note.element.remove();
    this.#notes.delete(key);
  }

  dispose(): void {
    for (const { timer } of this.#notes.values()) clearTimeout(timer);
    this.#notes.clear();
  }
}

/** A button within a note. */
export function noteButton(label: string, onclick: () => void): HTMLElement {
  return el('button', { type: 'button', class: 'button small', onclick }, label);
}
