import type { SearchAddon } from '@xterm/addon-search';
import { el, icon } from '../dom.js';

/** The box that finds text in the scrollback. `leave` gives the keyboard back to the terminal. */
export function createSearchBox(
  search: SearchAddon,
  leave: () => void,
): { readonly element: HTMLElement; open(): void } {
  const options = {
    decorations: {
      matchBackground: '#7a5d00',
      matchOverviewRuler: '#d4a72c',
      activeMatchBackground: '#b35900',
      activeMatchColorOverviewRuler: '#fb8f44',
    },
  };
  const count = el('span', { class: 'search-count', role: 'status' });
  const input = el('input', {
    type: 'search',
    'aria-label': 'Find in the terminal',
    placeholder: 'Find',
    spellcheck: 'false',
    autocapitalize: 'off',
    oninput: () => {
      find(true);
    },
    onkeydown: (event: KeyboardEvent) => {
      if (event.key === 'Enter') find(!event.shiftKey);
      else if (event.key === 'Escape') close();
      else return;
      event.preventDefault();
    },
  });
  const find = (forward: boolean): void => {
    if (forward) search.findNext(input.value, options);
    else search.findPrevious(input.value, options);
  };
  const close = (): void => {
    element.hidden = true;
    search.clearDecorations();
    count.textContent = '';
    leave();
  };
  const button = (
    label: string,
    name: 'up' | 'down' | 'close',
    onclick: () => void,
  ): HTMLButtonElement =>
    el(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick },
      icon(name),
    );
  const element = el(
    'div',
    { class: 'search-box', role: 'search', hidden: true },
    input,
    count,
    button('Previous match', 'up', () => {
      find(false);
    }),
    button('Next match', 'down', () => {
      find(true);
    }),
    button('Close the search', 'close', () => {
      close();
    }),
  );
  search.onDidChangeResults(({ resultIndex, resultCount }) => {
    count.textContent =
      input.value === ''
        ? ''
        : resultCount === 0
          ? 'none'
          : `${resultIndex < 0 ? '…' : String(resultIndex + 1)} of ${String(resultCount)}`;
  });
  return {
    element,
    open: () => {
      element.hidden = false;
      input.focus();
      input.select();
    },
  };
}
