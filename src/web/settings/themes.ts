import type { ITheme } from '@xterm/xterm';
import type { ThemeName } from './settings.js';

/** Colours of the terminal, and which of its two colour schemes the page wears with them. */
export interface Theme {
  readonly title: string;
  readonly scheme: 'dark' | 'light';
  readonly colors: ITheme;
}

const DARK: ITheme = {
  background: '#0d1117',
  foreground: '#d6dee8',
  cursor: '#6cb6ff',
  cursorAccent: '#0d1117',
  selectionBackground: '#2f4f78',
  black: '#484f58',
  red: '#ff7b72',
  green: '#56d364',
  yellow: '#e3b341',
  blue: '#6cb6ff',
  magenta: '#d2a8ff',
  cyan: '#56d4dd',
  white: '#c9d1d9',
  brightBlack: '#7d8590',
  brightRed: '#ffa198',
  brightGreen: '#7ee787',
  brightYellow: '#f2cc60',
  brightBlue: '#9ecbff',
  brightMagenta: '#e2c5ff',
  brightCyan: '#8ddfe6',
  brightWhite: '#f0f6fc',
};

const LIGHT: ITheme = {
  background: '#ffffff',
  foreground: '#1f2733',
  cursor: '#0b5cc4',
  cursorAccent: '#ffffff',
  selectionBackground: '#bcd7fb',
  black: '#24292f',
  red: '#c4202b',
  green: '#146c2e',
  yellow: '#7a4d00',
  blue: '#0b5cc4',
  magenta: '#7c3bc4',
  cyan: '#0f6d78',
  white: '#626b77',
  brightBlack: '#4f5863',
  brightRed: '#a40e1c',
  brightGreen: '#0f5c26',
  brightYellow: '#664000',
  brightBlue: '#094ea6',
  brightMagenta: '#6a2fae',
  brightCyan: '#0b5a63',
  brightWhite: '#7d8590',
};

const THEMES: Readonly<Record<Exclude<ThemeName, 'system'>, Theme>> = {
  dark: { title: 'Dark', scheme: 'dark', colors: DARK },
  light: { title: 'Light', scheme: 'light', colors: LIGHT },
  midnight: {
    title: 'Midnight (black)',
    scheme: 'dark',
    colors: { ...DARK, background: '#000000', foreground: '#c8d3de', cursorAccent: '#000000' },
  },
  dusk: {
    title: 'Dusk (warm dark)',
    scheme: 'dark',
    colors: {
      ...DARK,
      background: '#211d1a',
      foreground: '#e6dccf',
      cursor: '#f0a868',
      cursorAccent: '#211d1a',
      selectionBackground: '#5a4632',
      red: '#f2836b',
      green: '#a9c476',
      yellow: '#e9bd62',
      blue: '#8fb3cf',
      magenta: '#d3a0b8',
      cyan: '#8fc4ae',
      white: '#d5c9ba',
      brightBlack: '#93877a',
    },
  },
  paper: {
    title: 'Paper (warm light)',
    scheme: 'light',
    colors: {
      ...LIGHT,
      background: '#faf4e8',
      foreground: '#3a332a',
      cursor: '#9a4b10',
      cursorAccent: '#faf4e8',
      selectionBackground: '#e8d8b4',
    },
  },
  contrast: {
    title: 'High contrast',
    scheme: 'dark',
    colors: {
      ...DARK,
      background: '#000000',
      foreground: '#ffffff',
      cursor: '#ffff00',
      cursorAccent: '#000000',
      selectionBackground: '#0050c8',
      black: '#6e7681',
      red: '#ff8c84',
      green: '#5cf07c',
      yellow: '#ffe14d',
      blue: '#85c5ff',
      magenta: '#e6b8ff',
      cyan: '#6ff0f5',
      white: '#f2f2f2',
    },
  },
};

const prefersLight = matchMedia('(prefers-color-scheme: light)');

export function themeTitle(name: ThemeName): string {
  return name === 'system' ? 'As the system' : THEMES[name].title;
}

/** What `name` means now; `system` follows what the person asked their system for. */
export function themeOf(name: ThemeName): Theme {
  return THEMES[name === 'system' ? (prefersLight.matches ? 'light' : 'dark') : name];
}

/** Calls `changed` when the system goes dark or light. Returns how to stop. */
export function watchSystemTheme(changed: () => void): () => void {
  prefersLight.addEventListener('change', changed);
  return () => {
    prefersLight.removeEventListener('change', changed);
  };
}
