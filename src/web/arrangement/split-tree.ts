import type { TerminalId } from '../../shared/common/index.js';

/** `row`: side by side; `column`: one above the other. */
export type SplitDirection = 'row' | 'column';

/** How the area of a tab is divided among its terminals. Values are never changed, only replaced. */
export type SplitNode =
  | { readonly kind: 'pane'; readonly id: TerminalId }
  | {
      readonly kind: 'split';
      readonly direction: SplitDirection;
      /** Share of `first`, in per cent. */
      readonly share: number;
      readonly first: SplitNode;
      readonly second: SplitNode;
    };

/** A rectangle in fractions of the whole area. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The line between two sides of a split. `path`: from the root, which side was taken each time. */
export interface Divider {
  readonly path: string;
  readonly direction: SplitDirection;
  readonly share: number;
  /** The area that it divides. */
  readonly area: Area;
}

/** No side gets smaller than this, in per cent. */
export const SMALLEST_SHARE = 10;

export function pane(id: TerminalId): SplitNode {
  return { kind: 'pane', id };
}

/** The terminals, from left to right and top to bottom. */
export function paneIds(node: SplitNode): TerminalId[] {
  return node.kind === 'pane' ? [node.id] : [...paneIds(node.first), ...paneIds(node.second)];
}

/** Halves the area of terminal `at`; the new terminal gets the right or lower half. */
export function splitPane(
  node: SplitNode,
  at: TerminalId,
  direction: SplitDirection,
  id: TerminalId,
): SplitNode {
  if (node.kind === 'split') {
    return {
      ...node,
      first: splitPane(node.first, at, direction, id),
      second: splitPane(node.second, at, direction, id),
    };
  }
  if (node.id !== at) return node;
  return { kind: 'split', direction, share: 50, first: node, second: pane(id) };
}

/** Its area goes to its neighbour. Absent: nothing is left. */
export function removePane(node: SplitNode, id: TerminalId): SplitNode | undefined {
  if (node.kind === 'pane') return node.id === id ? undefined : node;
  const first = removePane(node.first, id);
  const second = removePane(node.second, id);
  if (first === undefined) return second;
  if (second === undefined) return first;
  return { ...node, first, second };
}

/** Moves the divider at `path`. */
export function setShare(node: SplitNode, path: string, share: number): SplitNode {
  if (node.kind === 'pane') return node;
  const [side, rest] = [path[0], path.slice(1)];
  if (side === undefined) return { ...node, share: clampShare(share) };
  return side === 'a'
    ? { ...node, first: setShare(node.first, rest, share) }
    : { ...node, second: setShare(node.second, rest, share) };
}

export function clampShare(share: number): number {
  return Math.min(100 - SMALLEST_SHARE, Math.max(SMALLEST_SHARE, Math.round(share)));
}

const WHOLE: Area = { left: 0, top: 0, width: 1, height: 1 };

/** Where each terminal and each divider is. */
export function layOut(node: SplitNode): {
  readonly panes: ReadonlyMap<TerminalId, Area>;
  readonly dividers: readonly Divider[];
} {
  const panes = new Map<TerminalId, Area>();
  const dividers: Divider[] = [];
  const visit = (part: SplitNode, area: Area, path: string): void => {
    if (part.kind === 'pane') {
      panes.set(part.id, area);
      return;
    }
    const { direction, share } = part;
    const fraction = share / 100;
    dividers.push({ path, direction, share, area });
    if (direction === 'row') {
      const width = area.width * fraction;
      visit(part.first, { ...area, width }, `${path}a`);
      visit(
        part.second,
        { ...area, left: area.left + width, width: area.width - width },
        `${path}b`,
      );
    } else {
      const height = area.height * fraction;
      visit(part.first, { ...area, height }, `${path}a`);
      visit(
        part.second,
        { ...area, top: area.top + height, height: area.height - height },
        `${path}b`,
      );
    }
  };
  visit(node, WHOLE, '');
  return { panes, dividers };
}
