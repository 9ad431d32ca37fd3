import { el, icon, type IconName } from '../dom.js';
import { workspacePath } from '../routes.js';
import { shortcutLabel, type ShortcutAction } from '../shortcuts.js';
import { header } from '../views/view.js';
import type { FrontActions } from './front-actions.js';
import { menuButton, type MenuItem } from './menu.js';

export interface ToolbarOptions {
  readonly workspace: string;
  readonly tabs: HTMLElement;
  readonly run: (action: ShortcutAction) => void;
  readonly actions: FrontActions;
  readonly paste: () => void;
  readonly mayUpload: () => boolean;
  readonly upload: () => void;
}

/** The bar above the terminals: where one is, the tabs, and what can be done. */
export class Toolbar {
  readonly element: HTMLElement;
  readonly #options: ToolbarOptions;
  /** Where the keyboard goes when it leaves the terminals. */
  readonly #first: HTMLElement;
  readonly #people: HTMLElement;
  readonly #count = el('span', { class: 'count', hidden: true });

  constructor(options: ToolbarOptions) {
    this.#options = options;
    const { workspace, tabs } = options;
    this.#first = this.#action('Find', 'search', 'find');
    this.#people = el(
      'button',
      {
        type: 'button',
        class: 'icon-button people-button',
        'aria-label': 'Who is here',
        title: 'Who is here',
        onclick: () => {
          options.actions.showPeople();
        },
      },
      icon('people'),
      this.#count,
    );
    this.element = header(
      [{ label: workspace, path: workspacePath(workspace) }],
      this.#first,
      this.#action('New terminal to the right', 'right', 'split-right'),
      this.#action('New terminal below', 'below', 'split-down'),
      this.#people,
      menuButton('More', () => this.#items()),
    );
    this.element.querySelector('nav')?.after(tabs);
  }

  focus(): void {
    this.#first.focus();
  }

  /** How many are attached to the terminal that has the keyboard. */
  showPeople(viewers: number): void {
    const text = String(viewers);
    this.#count.hidden = viewers < 2;
    if (this.#count.textContent === text) return;
    this.#count.textContent = text;
    this.#people.setAttribute(
      'aria-label',
      viewers < 2 ? 'Who is here' : `Who is here: ${text} viewers`,
    );
  }

  #items(): readonly MenuItem[] {
    const { actions, paste, mayUpload, upload } = this.#options;
    return [
      this.#item('Find', 'search', 'find'),
      { label: 'Paste', icon: 'paste', run: paste },
      this.#item('New terminal to the right', 'right', 'split-right'),
      this.#item('New terminal below', 'below', 'split-down'),
      {
        label: 'Share…',
        icon: 'share',
        isShown: () => actions.mayShare,
        run: () => {
          actions.share();
        },
      },
      { label: 'Upload files…', icon: 'upload', isShown: mayUpload, run: upload },
      {
        label: 'Copy the link to this view',
        icon: 'link',
        run: () => {
          void actions.copyLink();
        },
      },
      this.#item('Detach', 'leave', 'detach'),
      {
        label: 'End the program…',
        icon: 'stop',
        isDanger: true,
        isShown: () => actions.mayEnd,
        run: () => {
          void actions.endProgram();
        },
      },
      {
        label: 'Settings…',
        icon: 'gear',
        run: () => {
          actions.showSettings();
        },
      },
      this.#item('Keys…', 'help', 'help'),
    ];
  }

  #item(label: string, name: IconName, action: ShortcutAction): MenuItem {
    return {
      label,
      icon: name,
      shortcut: action,
      run: () => {
        this.#options.run(action);
      },
    };
  }

  #action(label: string, name: IconName, action: ShortcutAction): HTMLElement {
    const title = `${label} (${shortcutLabel(action)})`;
    return el(
      'button',
      {
        type: 'button',
        class: 'icon-button wide-only',
        'aria-label': title,
        title,
        onclick: () => {
          this.#options.run(action);
        },
      },
      icon(name),
    );
  }
}
