import { el } from '../dom.js';
import { SHORTCUTS } from '../shortcuts.js';
import { showPanel } from './dialog.js';

/** The keys of the page, and what happens to programs when one leaves. */
export function showHelp(closed: () => void): void {
  showPanel(
    { title: 'Keys', closed, className: 'wide' },
    el(
      'dl',
      { class: 'key-list' },
      ...SHORTCUTS.flatMap(({ key, text }) => [
        el('dt', {}, el('kbd', {}, 'Ctrl'), ' ', el('kbd', {}, 'Shift'), ' ', el('kbd', {}, key)),
        el('dd', {}, text),
      ]),
      el('dt', {}, el('kbd', {}, '←'), ' ', el('kbd', {}, '→'), ' on a tab'),
      el('dd', {}, 'Go from tab to tab; with Ctrl and Shift the tab moves'),
      el('dt', {}, el('kbd', {}, 'Arrows'), ' on a dividing line'),
      el('dd', {}, 'Move it; Enter makes both sides equal'),
    ),
    el(
      'p',
      { class: 'muted' },
      'All other keys go to the program, Escape and Tab too. On a phone, swipe left or right for the next terminal.',
    ),
    el(
      'p',
      { class: 'muted' },
      'Detaching or closing this page leaves programs running; the list of terminals has them. To end one, exit it or choose “End the program”.',
    ),
  );
}
