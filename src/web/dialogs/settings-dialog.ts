import { el, type Child } from '../dom.js';
import {
  BELL_KINDS,
  CURSOR_STYLES,
  FONT_SIZES,
  SCROLLBACK,
  THEME_NAMES,
  type Settings,
} from '../settings/settings.js';
import { changeSettings, resetSettings, settings } from '../settings/store.js';
import { themeTitle } from '../settings/themes.js';
import { showPanel } from './dialog.js';

const FONTS = [
  'JetBrains Mono',
  'Cascadia Mono',
  'Fira Code',
  'DejaVu Sans Mono',
  'Menlo',
  'Consolas',
];

const BELLS: Readonly<Record<Settings['bell'], string>> = {
  flash: 'Flash',
  sound: 'Sound',
  both: 'Flash and sound',
  none: 'Nothing',
};

const CURSORS: Readonly<Record<Settings['cursor'], string>> = {
  block: 'Block',
  bar: 'Bar',
  underline: 'Underline',
};

/** What a person can choose for this browser. Every change holds at once. */
export function showSettings(closed: () => void): void {
  const now = settings();
  const rows = [
    choice('Theme', 'theme', THEME_NAMES, themeTitle),
    field(
      'Font',
      el('input', {
        type: 'text',
        id: 'setting-fontFamily',
        list: 'setting-fonts',
        placeholder: 'Of the system',
        value: now.fontFamily,
        spellcheck: 'false',
        autocapitalize: 'off',
        onchange: ({ currentTarget }: { currentTarget: HTMLInputElement }) => {
          changeSettings({ fontFamily: currentTarget.value });
        },
      }),
      'fontFamily',
    ),
    el('datalist', { id: 'setting-fonts' }, ...FONTS.map((value) => el('option', { value }))),
    number('Font size', 'fontSize', FONT_SIZES),
    choice('Cursor', 'cursor', CURSOR_STYLES, (name) => CURSORS[name]),
    el(
      'label',
      { class: 'check' },
      el('input', {
        type: 'checkbox',
        checked: now.cursorBlink,
        onchange: ({ currentTarget }: { currentTarget: HTMLInputElement }) => {
          changeSettings({ cursorBlink: currentTarget.checked });
        },
      }),
      'The cursor blinks',
    ),
    number('Lines kept above the screen', 'scrollback', SCROLLBACK),
    choice('Bell', 'bell', BELL_KINDS, (name) => BELLS[name]),
  ];
  const dialog = showPanel(
    { title: 'Settings', closed, className: 'settings' },
    el('div', { class: 'fields' }, ...rows),
    el(
      'p',
      { class: 'card-foot' },
      el('span', { class: 'muted' }, 'Kept in this browser only.'),
      el(
        'button',
        {
          type: 'button',
          class: 'button small',
          onclick: () => {
            resetSettings();
            dialog.close();
            showSettings(closed);
          },
        },
        'As by default',
      ),
    ),
  );
}

function field(label: string, control: HTMLElement, name: string): HTMLElement {
  return el('div', { class: 'field' }, el('label', { for: `setting-${name}` }, label), control);
}

function choice<K extends 'theme' | 'cursor' | 'bell'>(
  label: string,
  name: K,
  all: readonly Settings[K][],
  title: (value: Settings[K]) => Child,
): HTMLElement {
  const select = el(
    'select',
    {
      id: `setting-${name}`,
      onchange: () => {
        changeSettings({ [name]: select.value });
      },
    },
    ...all.map((value) =>
      el('option', { value, selected: value === settings()[name] }, title(value)),
    ),
  );
  return field(label, select, name);
}

function number(
  label: string,
  name: 'fontSize' | 'scrollback',
  { smallest, largest }: { readonly smallest: number; readonly largest: number },
): HTMLElement {
  const input = el('input', {
    type: 'number',
    id: `setting-${name}`,
    min: String(smallest),
    max: String(largest),
    value: String(settings()[name]),
    onchange: () => {
      if (input.value === '') return;
      changeSettings({ [name]: Number(input.value) });
      input.value = String(settings()[name]);
    },
  });
  return field(label, input, name);
}
