import { parseTerminalId, type TerminalId } from '../../shared/common/index.js';
import {
  allIds,
  focus,
  focusedId,
  MAX_PANES,
  open,
  single,
  type Arrangement,
  type Tab,
} from './arrangement.js';
import { clampShare, paneIds, pane, type SplitDirection, type SplitNode } from './split-tree.js';

/** The parameter of the address that holds the arrangement. */
export const TABS_PARAMETER = 'tabs';
/** The parameter that names the log of a terminal that has ended. */
export const LOG_PARAMETER = 'log';

/**
 * Tabs are separated by `,`; within a tab the tree stands in front notation, parts separated by `~`:
 * `!r60~a~!d50~b~c` is a, with 60 per cent of the width, beside b above c. All of these characters may
 * stand in a query as they are, and none can be in the name of a terminal.
 * @returns the empty string for one terminal by itself: its name is in the path already.
 */
export function formatTabs({ tabs }: Arrangement): string {
  if (tabs.length === 1 && tabs[0]?.root.kind === 'pane') return '';
  return tabs.map(({ root }) => formatNode(root)).join(',');
}

function formatNode(node: SplitNode): string {
  if (node.kind === 'pane') return node.id;
  const mark = `!${node.direction === 'row' ? 'r' : 'd'}${String(node.share)}`;
  return [mark, formatNode(node.first), formatNode(node.second)].join('~');
}

/**
 * Reads {@link formatTabs} back; `focused` is the terminal that the path names. Addresses come from
 * anywhere: what cannot be read, appears twice, or is too much is left out.
 */
export function parseTabs(text: string, focused: TerminalId): Arrangement {
  const seen = new Set<TerminalId>();
  const tabs: Tab[] = [];
  for (const part of text.split(',')) {
    const root = parseNode(part.split('~'), seen);
    const first = root === undefined ? undefined : paneIds(root)[0];
    if (root !== undefined && first !== undefined) tabs.push({ root, focused: first });
  }
  if (tabs.length === 0) return single(focused);
  return open(focus({ tabs, active: tabs.length - 1 }, focused), focused);
}

const MARK = /^!([rd])([0-9]{1,3})$/;
/** Deeper than any tree of {@link MAX_PANES} terminals. */
const DEEPEST = MAX_PANES;

function parseNode(parts: string[], seen: Set<TerminalId>, depth = 0): SplitNode | undefined {
  const part = parts.shift();
  if (part === undefined || depth > DEEPEST) return undefined;
  const [, kind, share] = MARK.exec(part) ?? [];
  if (kind === undefined) return parsePane(part, seen);
  const direction: SplitDirection = kind === 'r' ? 'row' : 'column';
  const first = parseNode(parts, seen, depth + 1);
  const second = parseNode(parts, seen, depth + 1);
  if (first === undefined || second === undefined) return first ?? second;
  return { kind: 'split', direction, share: clampShare(Number(share)), first, second };
}

function parsePane(text: string, seen: Set<TerminalId>): SplitNode | undefined {
  let id: TerminalId;
  try {
    id = parseTerminalId(text);
  } catch {
    return undefined;
  }
  // One place is kept for the terminal of the path.
  if (seen.has(id) || seen.size >= MAX_PANES - 1) return undefined;
  seen.add(id);
  return pane(id);
}

const OWN_PARAMETERS = [TABS_PARAMETER, LOG_PARAMETER].map((name) => `${name}=`);

/**
 * Path and query of the address for `arrangement`; parameters of `search` that mean something else stay. The
 * log of an ended terminal is for one look.
 */
export function arrangementAddress(
  workspace: string,
  arrangement: Arrangement,
  search: string,
): string {
  const others = search
    .replace(/^\?/, '')
    .split('&')
    .filter((part) => part !== '' && !OWN_PARAMETERS.some((own) => part.startsWith(own)));
  const tabs = formatTabs(arrangement);
  const query = tabs === '' ? others : [...others, `${TABS_PARAMETER}=${tabs}`];
  const path = `/w/${workspace}/t/${focusedId(arrangement)}`;
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}

/** Whether there is room for another terminal. */
export function hasRoom(arrangement: Arrangement): boolean {
  return allIds(arrangement).length < MAX_PANES;
}
