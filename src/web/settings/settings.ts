/** What a person chose for this browser. Kept locally, never sent. */
export interface Settings {
  readonly theme: ThemeName;
  /** Name of a font. Empty: the system's own. */
  readonly fontFamily: string;
  /** Pixels. */
  readonly fontSize: number;
  readonly cursor: CursorStyle;
  readonly cursorBlink: boolean;
  /** Lines kept above the screen. */
  readonly scrollback: number;
  readonly bell: BellKind;
}

export const CURSOR_STYLES = ['block', 'bar', 'underline'] as const;
export type CursorStyle = (typeof CURSOR_STYLES)[number];

export const BELL_KINDS = ['flash', 'sound', 'both', 'none'] as const;
export type BellKind = (typeof BELL_KINDS)[number];

/** `system`: dark or light, as the system says. */
export const THEME_NAMES = [
  'system',
  'dark',
  'light',
  'midnight',
  'dusk',
  'paper',
  'contrast',
] as const;
export type ThemeName = (typeof THEME_NAMES)[number];

export const FONT_SIZES = { smallest: 8, largest: 32 } as const;
/** xterm.js holds about 1 KB for each line. */
export const SCROLLBACK = { smallest: 0, largest: 100_000 } as const;
const FONT_NAME_CHARACTERS = 64;

export function defaultSettings(isNarrow: boolean): Settings {
  return {
    theme: 'system',
    fontFamily: '',
    fontSize: isNarrow ? 12 : 14,
    cursor: 'block',
    cursorBlink: true,
    scrollback: 10_000,
    bell: 'flash',
  };
}

/**
 * Settings out of stored text; whatever is not a sensible value is as by default. A font name gets into a
 * style sheet, so nothing but what names fonts is let through.
 */
export function parseSettings(text: string | null, defaults: Settings): Settings {
  let stored: Partial<Record<keyof Settings, unknown>> = {};
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    if (typeof value === 'object' && value !== null) stored = value;
  } catch {
    // Written by somebody else, or cut off.
  }
  const choice = <T extends string>(value: unknown, all: readonly T[], otherwise: T): T =>
    all.find((each) => each === value) ?? otherwise;
  const count = (
    value: unknown,
    { smallest, largest }: { readonly smallest: number; readonly largest: number },
    otherwise: number,
  ): number =>
    typeof value === 'number' && Number.isFinite(value)
      ? Math.min(largest, Math.max(smallest, Math.round(value)))
      : otherwise;
  return {
    theme: choice(stored.theme, THEME_NAMES, defaults.theme),
    fontFamily: typeof stored.fontFamily === 'string' ? cleanFontName(stored.fontFamily) : '',
    fontSize: count(stored.fontSize, FONT_SIZES, defaults.fontSize),
    cursor: choice(stored.cursor, CURSOR_STYLES, defaults.cursor),
    cursorBlink:
      typeof stored.cursorBlink === 'boolean' ? stored.cursorBlink : defaults.cursorBlink,
    scrollback: count(stored.scrollback, SCROLLBACK, defaults.scrollback),
    bell: choice(stored.bell, BELL_KINDS, defaults.bell),
  };
}

export function cleanFontName(name: string): string {
  return name
    .replace(/[^\p{L}\p{N} ._-]/gu, '')
    .trim()
    .slice(0, FONT_NAME_CHARACTERS);
}
