import { el, icon, type IconName } from '../dom.js';
import { workspacePath } from '../routes.js';
import { shortcutLabel, type ShortcutAction } from '../shortcuts.js';
import { header } from '../views/view.js';
import { menuButton, type MenuItem } from './menu.js';

export interface ToolbarOptions {
  readonly workspace: string;
  readonly tabs: HTMLElement;
  readonly run: (action: ShortcutAction) => void;
  readonly paste: () => void;
  readonly mayUpload: () => boolean;
  readonly upload: () => void;
  readonly copyLink: () => void;
  /** The terminal that has the keyboard can be ended. */
  readonly mayEnd: () => boolean;
  readonly endProgram: () => void;
  readonly showSettings: () => void;
}

/** The bar above the terminals: where one is, the tabs, and what can be done. */
export class Toolbar {
  readonly element: HTMLElement;
  readonly #options: ToolbarOptions;
  /** Where the keyboard goes when it leaves the terminals. */
  readonly #first: HTMLElement;

  constructor(options: ToolbarOptions) {
    this.#options = options;
    const { workspace, tabs } = options;
    this.#first = this.#action('Find', 'search', 'find');
    this.element = header(
      [{ label: workspace, path: workspacePath(workspace) }],
      this.#first,
      this.#action('New terminal to the right', 'right', 'split-right'),
      this.#action('New terminal below', 'below', 'split-down'),
      menuButton('More', () => this.#items()),
    );
    this.element.querySelector('nav')?.after(tabs);
  }

  focus(): void {
    this.#first.focus();
  }

  #items(): readonly MenuItem[] {
    const { paste, mayUpload, upload, copyLink, mayEnd, endProgram, showSettings } = this.#options;
    return [
      this.#item('Find', 'search', 'find'),
      { label: 'Paste', icon: 'paste', run: paste },
      this.#item('New terminal to the right', 'right', 'split-right'),
      this.#item('New terminal below', 'below', 'split-down'),
      { label: 'Upload files…', icon: 'upload', isShown: mayUpload, run: upload },
      { label: 'Copy the link to this view', icon: 'link', run: copyLink },
      this.#item('Detach', 'leave', 'detach'),
      {
        label: 'End the program…',
        icon: 'stop',
        isDanger: true,
        isShown: mayEnd,
        run: endProgram,
      },
      { label: 'Settings…', icon: 'gear', run: showSettings },
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
