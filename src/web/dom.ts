/** What an element is built with: properties, `aria-*` and `data-*` attributes, `on*` listeners. */
export type Attributes = Readonly<
  Record<string, string | boolean | ((event: never) => void) | undefined>
>;

export type Child = Node | string | undefined;

/**
 * Builds an element. Text becomes text nodes, never markup, so that names and titles from elsewhere
 * stay harmless. `true` sets an empty attribute; `false` and `undefined` leave it out.
 */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      element.addEventListener(name.slice(2), value as (event: Event) => void);
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (typeof value === 'string') {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Outlines on a 16 x 16 grid; decoration only, so hidden from assistive technology. */
const ICONS = {
  plus: 'M8 3v10M3 8h10',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM11 11l3 3',
  up: 'M4 10l4-4 4 4',
  down: 'M4 6l4 4 4-4',
  close: 'M4 4l8 8M12 4l-8 8',
  link: 'M6.5 9.5l3-3M7 4.5l1.2-1.2a3 3 0 0 1 4.3 4.3L11 9M9 11.5l-1.2 1.2a3 3 0 0 1-4.3-4.3L5 7',
  terminal: 'M3 5l3 3-3 3M8 11h5',
  chevron: 'M6 4l4 4-4 4',
  smaller: 'M4 8h8',
  stop: 'M4 4h8v8H4z',
} as const;

export type IconName = keyof typeof ICONS;

/** A small line drawing in the colour of the text around it. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}
