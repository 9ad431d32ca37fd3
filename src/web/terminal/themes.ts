import type { ITheme } from '@xterm/xterm';

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

const prefersLight = matchMedia('(prefers-color-scheme: light)');

/** The theme that fits what the person asked their system for. */
export function currentTheme(): ITheme {
  return prefersLight.matches ? LIGHT : DARK;
}

/** Calls `apply` whenever that changes. Returns how to stop. */
export function watchTheme(apply: (theme: ITheme) => void): () => void {
  const onChange = (): void => {
    apply(currentTheme());
  };
  prefersLight.addEventListener('change', onChange);
  return () => {
    prefersLight.removeEventListener('change', onChange);
  };
}
