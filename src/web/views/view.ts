import type { Child } from '../dom.js';
import { el, icon } from '../dom.js';

/** A page: what is shown, and how to end it. */
export interface View {
  readonly element: HTMLElement;
  dispose(): void;
}

/** One step of the way shown in the header. Absent path: where one is. */
export interface Crumb {
  readonly label: string;
  readonly path?: string;
}

/** The bar at the top: where one is, and what can be done here. */
export function header(crumbs: readonly Crumb[], ...actions: Child[]): HTMLElement {
  const steps = crumbs.map(({ label, path }) =>
    el(
      'li',
      {},
      icon('chevron'),
      path === undefined
        ? el('span', { class: 'crumb', 'aria-current': 'page' }, label)
        : el('a', { class: 'crumb', href: path }, label),
    ),
  );
  return el(
    'header',
    { class: 'bar' },
    el('a', { class: 'brand', href: '/' }, icon('terminal'), el('span', {}, 'Holdfast')),
    el('nav', { 'aria-label': 'Where you are' }, el('ol', { class: 'crumbs' }, ...steps)),
    el('div', { class: 'actions' }, ...actions),
  );
}
