import type { TerminalId } from '../../shared/common/index.js';
import {
  pane,
  paneIds,
  removePane,
  setShare,
  splitPane,
  type SplitDirection,
  type SplitNode,
} from './split-tree.js';

/** One tab: its terminals, and which of them had the keyboard last. */
export interface Tab {
  readonly root: SplitNode;
  readonly focused: TerminalId;
}

/**
 * Which terminals are in view, and how. A terminal is in it once at most, so that the focused terminal
 * says which tab is in front. Values are never changed, only replaced.
 */
export interface Arrangement {
  /** At least one. */
  readonly tabs: readonly Tab[];
  /** The tab in front. */
  readonly active: number;
}

/** Terminals in one view: each has an emulator with its scrollback, and a link. */
export const MAX_PANES = 24;

export function single(id: TerminalId): Arrangement {
  return { tabs: [tab(id)], active: 0 };
}

export function tab(id: TerminalId): Tab {
  return { root: pane(id), focused: id };
}

export function activeTab({ tabs, active }: Arrangement): Tab {
  const found = tabs[active] ?? tabs[0];
  if (found === undefined) throw new RangeError('an arrangement without a tab');
  return found;
}

export function focusedId(arrangement: Arrangement): TerminalId {
  return activeTab(arrangement).focused;
}

/** Every terminal, in the order of the tabs. */
export function allIds({ tabs }: Arrangement): TerminalId[] {
  return tabs.flatMap(({ root }) => paneIds(root));
}

/** Puts `id` in front; one that is not in view yet gets a tab behind the present one. */
export function open(arrangement: Arrangement, id: TerminalId): Arrangement {
  if (allIds(arrangement).includes(id)) return focus(arrangement, id);
  const at = arrangement.active + 1;
  return { tabs: arrangement.tabs.toSpliced(at, 0, tab(id)), active: at };
}

/** Divides the focused terminal's area; the new one has the focus. */
export function split(
  arrangement: Arrangement,
  direction: SplitDirection,
  id: TerminalId,
): Arrangement {
  if (allIds(arrangement).includes(id)) return focus(arrangement, id);
  const { root, focused } = activeTab(arrangement);
  return replaceTab(arrangement, arrangement.active, {
    root: splitPane(root, focused, direction, id),
    focused: id,
  });
}

/** Takes `id` out of view. Absent: nothing is left. */
export function close(arrangement: Arrangement, id: TerminalId): Arrangement | undefined {
  const at = tabOf(arrangement, id);
  const old = arrangement.tabs[at];
  if (old === undefined) return arrangement;
  const ids = paneIds(old.root);
  const root = removePane(old.root, id);
  if (root !== undefined) {
    const rest = ids.filter((other) => other !== id);
    const next = rest[Math.max(0, ids.indexOf(id) - 1)] ?? id;
    return replaceTab(arrangement, at, { root, focused: old.focused === id ? next : old.focused });
  }
  const tabs = arrangement.tabs.toSpliced(at, 1);
  if (tabs.length === 0) return undefined;
  const active = arrangement.active > at ? arrangement.active - 1 : arrangement.active;
  return { tabs, active: Math.min(active, tabs.length - 1) };
}

/** Gives `id` the keyboard and brings its tab to the front. */
export function focus(arrangement: Arrangement, id: TerminalId): Arrangement {
  const at = tabOf(arrangement, id);
  const old = arrangement.tabs[at];
  if (old === undefined || (at === arrangement.active && old.focused === id)) return arrangement;
  return { ...replaceTab(arrangement, at, { ...old, focused: id }), active: at };
}

/** The tab `step` further, round and round. */
export function stepTab(arrangement: Arrangement, step: number): Arrangement {
  const count = arrangement.tabs.length;
  return { ...arrangement, active: (arrangement.active + step + count) % count };
}

/** The terminal `step` further in the tab in front, round and round. */
export function stepPane(arrangement: Arrangement, step: number): Arrangement {
  const { root, focused } = activeTab(arrangement);
  const ids = paneIds(root);
  return focus(arrangement, around(ids, focused, step));
}

/** The terminal `step` further in all tabs, round and round: what a swipe does. */
export function stepAny(arrangement: Arrangement, step: number): Arrangement {
  return focus(arrangement, around(allIds(arrangement), focusedId(arrangement), step));
}

/** Puts the tab at `from` in place `to`. */
export function moveTab(arrangement: Arrangement, from: number, to: number): Arrangement {
  const moved = arrangement.tabs[from];
  const place = Math.min(arrangement.tabs.length - 1, Math.max(0, to));
  if (moved === undefined || place === from) return arrangement;
  const front = activeTab(arrangement);
  const tabs = arrangement.tabs.toSpliced(from, 1).toSpliced(place, 0, moved);
  return { tabs, active: tabs.indexOf(front) };
}

/** Moves a divider of the tab in front. */
export function resize(arrangement: Arrangement, path: string, share: number): Arrangement {
  const front = activeTab(arrangement);
  return replaceTab(arrangement, arrangement.active, {
    ...front,
    root: setShare(front.root, path, share),
  });
}

function tabOf({ tabs }: Arrangement, id: TerminalId): number {
  return tabs.findIndex(({ root }) => paneIds(root).includes(id));
}

function replaceTab(arrangement: Arrangement, at: number, next: Tab): Arrangement {
  return { ...arrangement, tabs: arrangement.tabs.with(at, next) };
}

function around(ids: readonly TerminalId[], from: TerminalId, step: number): TerminalId {
  return ids[(ids.indexOf(from) + step + ids.length) % ids.length] ?? from;
}
