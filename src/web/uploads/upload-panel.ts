import { el, icon } from '../dom.js';
import { formatBytes } from '../format.js';

/** One file on its way, as it is shown. */
export interface UploadRow {
  readonly signal: AbortSignal;
  progress(bytes: number): void;
  /** Final. */
  done(text: string): void;
  /** Final. */
  failed(why: string): void;
}

/** What is being uploaded, in the corner of the page. Hidden while there is nothing to tell. */
export class UploadPanel {
  readonly element: HTMLElement;
  readonly #title = el('strong', {});
  readonly #list = el('ul', { class: 'upload-list' });
  readonly #running = new Set<AbortController>();

  constructor() {
    this.element = el(
      'section',
      { class: 'uploads', 'aria-label': 'Uploads', hidden: true },
      el(
        'header',
        { class: 'uploads-bar' },
        this.#title,
        el(
          'button',
          {
            type: 'button',
            class: 'icon-button',
            'aria-label': 'Cancel what is left and close',
            title: 'Cancel what is left and close',
            onclick: () => {
              this.cancelAll();
              this.#list.replaceChildren();
              this.element.hidden = true;
            },
          },
          icon('close'),
        ),
      ),
      this.#list,
    );
  }

  add(name: string, size: number): UploadRow {
    const abort = new AbortController();
    const bar = el('progress', { max: String(Math.max(1, size)), value: '0', 'aria-label': name });
    const text = el('span', { class: 'muted upload-text' }, 'waiting');
    const cancel = el(
      'button',
      {
        type: 'button',
        class: 'icon-button',
        'aria-label': `Cancel ${name}`,
        onclick: () => {
          abort.abort();
        },
      },
      icon('close'),
    );
    const row = el(
      'li',
      {},
      el('span', { class: 'upload-name', title: name }, name),
      text,
      cancel,
      bar,
    );
    this.#running.add(abort);
    this.#list.append(row);
    this.element.hidden = false;
    this.#count();
    const finish = (look: string, words: string): void => {
      this.#running.delete(abort);
      row.className = look;
      text.textContent = words;
      text.title = words;
      bar.remove();
      cancel.remove();
      this.#count();
    };
    return {
      signal: abort.signal,
      progress: (bytes) => {
        bar.value = bytes;
        text.textContent = `${formatBytes(bytes)} of ${formatBytes(size)}`;
      },
      done: (words) => {
        finish('done', words);
      },
      failed: (why) => {
        finish('failed', why);
      },
    };
  }

  cancelAll(): void {
    for (const abort of this.#running) abort.abort();
  }

  #count(): void {
    const { size } = this.#running;
    this.#title.textContent =
      size === 0 ? 'Uploads' : size === 1 ? 'Uploading a file' : `Uploading ${String(size)} files`;
  }
}
