import { el } from '../dom.js';

/** Keys that phone keyboards lack. */
export interface KeyRow {
  readonly element: HTMLElement;
  /** Applies a pressed Ctrl or Alt to what was typed, and releases it. */
  modify(data: string): string;
}

export interface KeyRowOptions {
  readonly type: (data: string) => void;
  /** Whether the program asked for application cursor keys. */
  readonly applicationCursor: () => boolean;
}

/** A row of buttons; Ctrl and Alt stay down for the one key that follows. */
export function createKeyRow({ type, applicationCursor }: KeyRowOptions): KeyRow {
  const held = { ctrl: false, alt: false };
  const cursor = (final: string) => (): string => `\x1b${applicationCursor() ? 'O' : '['}${final}`;
  const key = (label: string, name: string, data: string | (() => string)): HTMLButtonElement =>
    el(
      'button',
      {
        type: 'button',
        'aria-label': name,
        // The keyboard of the phone must stay up, so the terminal must keep the focus.
        onpointerdown: (event: PointerEvent) => {
          event.preventDefault();
        },
        onclick: () => {
          type(typeof data === 'string' ? modify(data) : data());
        },
      },
      label,
    );
  const holdKey = (label: string, which: 'ctrl' | 'alt'): HTMLButtonElement =>
    el(
      'button',
      {
        type: 'button',
        'aria-pressed': 'false',
        'aria-label': `${label}, held for the next key`,
        onpointerdown: (event: PointerEvent) => {
          event.preventDefault();
        },
        onclick: () => {
          held[which] = !held[which];
          show();
        },
      },
      label,
    );
  const ctrl = holdKey('Ctrl', 'ctrl');
  const alt = holdKey('Alt', 'alt');
  const show = (): void => {
    ctrl.setAttribute('aria-pressed', String(held.ctrl));
    alt.setAttribute('aria-pressed', String(held.alt));
  };
  const modify = (data: string): string => {
    if (!held.ctrl && !held.alt) return data;
    let result = data;
    if (held.ctrl && data.length === 1) {
      const code = data.toUpperCase().charCodeAt(0);
      if (code >= 0x40 && code <= 0x5f) result = String.fromCharCode(code & 0x1f);
      else if (data === ' ') result = '\0';
      else if (data === '?') result = '\x7f';
    }
    if (held.alt) result = `\x1b${result}`;
    held.ctrl = false;
    held.alt = false;
    show();
    return result;
  };
  return {
    element: el(
      'div',
      { class: 'key-row', role: 'toolbar', 'aria-label': 'Extra keys' },
      key('Esc', 'Escape', '\x1b'),
      key('Tab', 'Tab', '\t'),
      ctrl,
      alt,
      key('←', 'Left', cursor('D')),
      key('↓', 'Down', cursor('B')),
      key('↑', 'Up', cursor('A')),
      key('→', 'Right', cursor('C')),
      key('|', 'Pipe', '|'),
      key('~', 'Tilde', '~'),
      key('/', 'Slash', '/'),
      key('-', 'Dash', '-'),
    ),
    modify,
  };
}
