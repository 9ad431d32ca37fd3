import { el, icon } from '../dom.js';

/** What is shown of one tab. */
export interface TabLook {
  /** The same for as long as the tab lives. */
  readonly key: string;
  readonly title: string;
  /** How many further terminals are in it. */
  readonly others: number;
  readonly hasBell: boolean;
  readonly hasEnded: boolean;
}

export interface TabStripOptions {
  readonly choose: (index: number) => void;
  readonly close: (index: number) => void;
  readonly move: (from: number, to: number) => void;
  readonly create: () => void;
}

interface TabParts {
  readonly element: HTMLElement;
  readonly button: HTMLButtonElement;
  readonly mark: HTMLElement;
  readonly label: HTMLElement;
  readonly count: HTMLElement;
  readonly close: HTMLButtonElement;
}

/**
 * The tabs, as the pattern of that name in the ARIA practices: one stop of the Tab key, arrows go from one
 * to the next. Dragging, or arrows with Ctrl and Shift, put them in another order.
 */
export class TabStrip {
  readonly element: HTMLElement;
  readonly #options: TabStripOptions;
  readonly #list = el('div', { class: 'tab-list', role: 'tablist', 'aria-label': 'Terminals' });
  /** By key, so that a tab keeps its element and with it the focus. */
  readonly #tabs = new Map<string, TabParts>();
  #order: string[] = [];
  #dragged: string | undefined;

  constructor(options: TabStripOptions) {
    this.#options = options;
    this.element = el(
      'div',
      { class: 'tab-strip' },
      this.#list,
      el(
        'button',
        {
          type: 'button',
          class: 'icon-button tab-new',
          'aria-label': 'New terminal',
          title: 'New terminal (Ctrl Shift Enter)',
          onclick: options.create,
        },
        icon('plus'),
      ),
    );
  }

  show(looks: readonly TabLook[], active: number): void {
    const gone = new Set(this.#tabs.keys());
    this.#order = looks.map(({ key }) => key);
    looks.forEach((look, index) => {
      gone.delete(look.key);
      const parts = this.#tabs.get(look.key) ?? this.#create(look.key);
      const isActive = index === active;
      parts.mark.className = look.hasEnded ? 'dot off' : look.hasBell ? 'dot busy' : '';
      setText(parts.label, look.title);
      setText(parts.count, look.others === 0 ? '' : `+${String(look.others)}`);
      parts.button.setAttribute('aria-selected', String(isActive));
      parts.button.tabIndex = isActive ? 0 : -1;
      parts.button.title = look.title;
      parts.close.setAttribute('aria-label', `Detach ${look.title}`);
      parts.element.classList.toggle('active', isActive);
      const here = this.#list.children[index];
      if (here !== parts.element) this.#list.insertBefore(parts.element, here ?? null);
      if (isActive) parts.element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    });
    for (const key of gone) {
      this.#tabs.get(key)?.element.remove();
      this.#tabs.delete(key);
    }
  }

  #create(key: string): TabParts {
    const label = el('span', { class: 'tab-title' });
    const count = el('span', { class: 'tab-count' });
    const mark = el('span', { 'aria-hidden': 'true' });
    const index = (): number => this.#order.indexOf(key);
    const button = el(
      'button',
      {
        type: 'button',
        role: 'tab',
        class: 'tab-button',
        onclick: () => {
          this.#options.choose(index());
        },
        onauxclick: (event: MouseEvent) => {
          if (event.button === 1) this.#options.close(index());
        },
        onkeydown: (event: KeyboardEvent) => {
          this.#onKey(event, key);
        },
      },
      mark,
      label,
      count,
    );
    const close = el(
      'button',
      {
        type: 'button',
        class: 'tab-close',
        tabindex: '-1',
        title: 'Detach: the program goes on',
        onclick: () => {
          this.#options.close(index());
        },
      },
      icon('close'),
    );
    const element = el(
      'div',
      {
        class: 'tab',
        role: 'presentation',
        draggable: 'true',
        ondragstart: (event: DragEvent) => {
          this.#dragged = key;
          event.dataTransfer?.setData('text/plain', label.textContent);
        },
        ondragover: (event: DragEvent) => {
          if (this.#dragged === undefined || this.#dragged === key) return;
          event.preventDefault();
          this.#options.move(this.#order.indexOf(this.#dragged), index());
        },
        ondragend: () => {
          this.#dragged = undefined;
        },
        ondrop: (event: DragEvent) => {
          event.preventDefault();
        },
      },
      button,
      close,
    );
    const parts = { element, button, mark, label, count, close };
    this.#tabs.set(key, parts);
    return parts;
  }

  #onKey(event: KeyboardEvent, key: string): void {
    const index = this.#order.indexOf(key);
    const count = this.#order.length;
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step !== 0 && event.ctrlKey && event.shiftKey) {
      this.#options.move(index, index + step);
      this.#focus(key);
    } else if (step !== 0) {
      this.#goTo((index + step + count) % count);
    } else if (event.key === 'Home') {
      this.#goTo(0);
    } else if (event.key === 'End') {
      this.#goTo(count - 1);
    } else if (event.key === 'Delete') {
      this.#options.close(index);
    } else {
      return;
    }
    event.preventDefault();
  }

  #goTo(index: number): void {
    this.#options.choose(index);
    this.#focus(this.#order[index] ?? '');
  }

  #focus(key: string): void {
    this.#tabs.get(key)?.button.focus();
  }
}

/** Only a change is written, since assistive technology may read each one aloud. */
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
