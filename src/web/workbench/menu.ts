import { el, icon, type IconName } from '../dom.js';
import { shortcutLabel, type ShortcutAction } from '../shortcuts.js';

export interface MenuItem {
  readonly label: string;
  readonly icon: IconName;
  readonly run: () => void;
  readonly shortcut?: ShortcutAction;
  /** Absent: always. */
  readonly isShown?: () => boolean;
  readonly isDanger?: boolean;
}

/** A button that opens a list of things to do; arrows, Home, End and Escape as in other menus. */
export function menuButton(label: string, items: () => readonly MenuItem[]): HTMLElement {
  const list = el('div', {
    class: 'menu',
    role: 'menu',
    popover: 'manual',
    'aria-label': label,
    ontoggle: (event: ToggleEvent) => {
      button.setAttribute('aria-expanded', String(event.newState === 'open'));
    },
    onfocusout: (event: FocusEvent) => {
      const { relatedTarget } = event;
      if (!(relatedTarget instanceof Node) || !list.contains(relatedTarget)) list.hidePopover();
    },
    onkeydown: (event: KeyboardEvent) => {
      if (event.key === 'Escape') {
        event.preventDefault();
        button.focus();
        return;
      }
      const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const all = [...list.querySelectorAll<HTMLElement>('[role=menuitem]')];
      const at = all.findIndex((item) => item === document.activeElement);
      const next = Number.isFinite(step)
        ? (at + step + all.length) % all.length
        : step < 0
          ? 0
          : all.length - 1;
      all[next]?.focus();
    },
  });
  const button = el(
    'button',
    {
      type: 'button',
      class: 'icon-button',
      'aria-label': label,
      'aria-haspopup': 'menu',
      'aria-expanded': 'false',
      title: label,
      onpointerdown: (event: PointerEvent) => {
        // The menu keeps the focus, so that the click finds it open and closes it.
        if (list.matches(':popover-open')) event.preventDefault();
      },
      onclick: () => {
        if (list.matches(':popover-open')) {
          button.focus();
          return;
        }
        const shown = items().filter(({ isShown }) => isShown?.() ?? true);
        list.replaceChildren(...shown.map((item) => row(item, list)));
        list.showPopover();
        const { bottom, right } = button.getBoundingClientRect();
        list.style.top = `${String(bottom + 4)}px`;
        list.style.right = `${String(Math.max(8, innerWidth - right))}px`;
        list.querySelector<HTMLElement>('[role=menuitem]')?.focus();
      },
    },
    icon('more'),
  );
  return el('span', { class: 'menu-slot' }, button, list);
}

function row(item: MenuItem, list: HTMLElement): HTMLElement {
  return el(
    'button',
    {
      type: 'button',
      role: 'menuitem',
      class: `menu-item${item.isDanger === true ? ' danger' : ''}`,
      onclick: () => {
        list.hidePopover();
        item.run();
      },
    },
    icon(item.icon),
    el('span', { class: 'menu-label' }, item.label),
    item.shortcut === undefined ? undefined : el('kbd', {}, shortcutLabel(item.shortcut)),
  );
}
