import type { TerminalId } from '../../shared/common/index.js';
import {
  layOut,
  SMALLEST_SHARE,
  type Area,
  type Divider,
  type SplitNode,
} from '../arrangement/split-tree.js';
import { el } from '../dom.js';
import type { TerminalPane } from '../panes/terminal-pane.js';

/** One press of an arrow key moves a divider by so much, in per cent. */
const STEP = 5;

export interface SplitStageOptions {
  /** A divider of the tab in front was moved. `done`: it was let go of. */
  readonly resize: (path: string, share: number) => void;
}

/**
 * The area in which the terminals of the tab in front stand. Every pane is a child of it for as long as it
 * is in view anywhere, and only its place changes: a terminal that was moved in the document would lose
 * the keyboard and what is selected.
 */
export class SplitStage {
  readonly element = el('main', { class: 'stage' });
  readonly #options: SplitStageOptions;
  readonly #dividers = new Map<string, HTMLElement>();

  constructor(options: SplitStageOptions) {
    this.#options = options;
  }

  /** Shows the terminals of `root`, and none of the others. */
  show(root: SplitNode, focused: TerminalId, panes: ReadonlyMap<TerminalId, TerminalPane>): void {
    const { panes: areas, dividers } = layOut(root);
    this.element.classList.toggle('divided', areas.size > 1);
    for (const [id, pane] of panes) {
      const area = areas.get(id);
      if (pane.element.parentElement === null) this.element.append(pane.element);
      pane.element.classList.toggle('front', id === focused);
      if (area !== undefined) place(pane.element, area);
      pane.setVisible(area !== undefined);
    }
    const gone = new Set(this.#dividers.keys());
    for (const divider of dividers) {
      gone.delete(divider.path);
      const element = this.#dividers.get(divider.path) ?? this.#create(divider.path);
      this.#showDivider(element, divider);
    }
    for (const path of gone) {
      this.#dividers.get(path)?.remove();
      this.#dividers.delete(path);
    }
  }

  #showDivider(element: HTMLElement, { direction, share, area }: Divider): void {
    const isRow = direction === 'row';
    element.dataset['direction'] = direction;
    element.dataset['area'] = JSON.stringify(area);
    element.setAttribute('aria-orientation', isRow ? 'vertical' : 'horizontal');
    element.setAttribute('aria-valuenow', String(share));
    place(element, {
      left: area.left + (isRow ? (area.width * share) / 100 : 0),
      top: area.top + (isRow ? 0 : (area.height * share) / 100),
      width: isRow ? 0 : area.width,
      height: isRow ? area.height : 0,
    });
  }

  #create(path: string): HTMLElement {
    const element = el('div', {
      class: 'divider',
      role: 'separator',
      tabindex: '0',
      'aria-label': 'Size of the terminals beside it',
      'aria-valuemin': String(SMALLEST_SHARE),
      'aria-valuemax': String(100 - SMALLEST_SHARE),
      onpointerdown: (event: PointerEvent) => {
        element.setPointerCapture(event.pointerId);
        element.classList.add('moving');
        event.preventDefault();
        element.focus();
      },
      onpointermove: (event: PointerEvent) => {
        if (!element.hasPointerCapture(event.pointerId)) return;
        this.#options.resize(path, this.#shareAt(element, event));
      },
      onlostpointercapture: () => {
        element.classList.remove('moving');
      },
      ondblclick: () => {
        this.#options.resize(path, 50);
      },
      onkeydown: (event: KeyboardEvent) => {
        const share = Number(element.getAttribute('aria-valuenow'));
        const next = shareByKey(event.key, share);
        if (next === undefined) return;
        event.preventDefault();
        this.#options.resize(path, next);
      },
    });
    this.#dividers.set(path, element);
    this.element.append(element);
    return element;
  }

  /** How the pointer divides the area, in per cent. */
  #shareAt(element: HTMLElement, { clientX, clientY }: PointerEvent): number {
    const stage = this.element.getBoundingClientRect();
    const area = JSON.parse(element.dataset['area'] ?? '{}') as Area;
    return element.dataset['direction'] === 'row'
      ? (((clientX - stage.left) / stage.width - area.left) / area.width) * 100
      : (((clientY - stage.top) / stage.height - area.top) / area.height) * 100;
  }
}

function shareByKey(key: string, share: number): number | undefined {
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowUp':
      return share - STEP;
    case 'ArrowRight':
    case 'ArrowDown':
      return share + STEP;
    case 'Home':
      return SMALLEST_SHARE;
    case 'End':
      return 100 - SMALLEST_SHARE;
    case 'Enter':
      return 50;
    default:
      return undefined;
  }
}

function place({ style }: HTMLElement, { left, top, width, height }: Area): void {
  style.left = percent(left);
  style.top = percent(top);
  style.width = percent(width);
  style.height = percent(height);
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(3)}%`;
}
