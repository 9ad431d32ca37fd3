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
  play: 'M5 3l8 5-8 5z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  more: 'M3.5 8h.02M8 8h.02M12.5 8h.02',
  right: 'M2 3h12v10H2zM8 3v10',
  below: 'M2 3h12v10H2zM2 8h12',
  people:
    'M6 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13c.6-2.2 2.2-3.2 4.5-3.2s3.9 1 4.5 3.2M10.5 3.3a2.5 2.5 0 0 1 0 4.5M12 10.1c1.4.4 2.2 1.4 2.6 2.9',
  share: 'M8 10V2.5M5 5l3-3 3 3M3 9v4.5h10V9',
  upload: 'M8 11V3.5M4.5 6.5L8 3l3.5 3.5M2.5 13.5h11',
  gear: 'M2 5h7M12 5h2M2 11h2M7 11h7M9 3.5v3M4 9.5v3',
  help: 'M6 6a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M8 12h.01M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z',
  paste: 'M5 3H3.5v10.5h9V3H11M5.5 2h5v2.5h-5z',
  leave: 'M9 4V2.5H2.5v11H9V12M6 8h8M11.5 5.5L14 8l-2.5 2.5',
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
