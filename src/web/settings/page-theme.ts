import { settings, watchSettings } from './store.js';
import { themeOf, watchSystemTheme } from './themes.js';

/** Dresses the page around the terminals as the chosen theme says, for as long as the document lives. */
export function startPageTheme(): void {
  const apply = (): void => {
    const { scheme, colors } = themeOf(settings().theme);
    const { style } = document.documentElement;
    style.colorScheme = scheme;
    style.setProperty('--terminal', colors.background ?? '');
    document.documentElement.dataset['scheme'] = scheme;
    for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')) {
      meta.content = getComputedStyle(document.documentElement).getPropertyValue('--bar-color');
    }
  };
  watchSettings(apply);
  watchSystemTheme(apply);
}
