/** What can be done by keyboard. */
export type ShortcutAction =
  | 'find'
  | 'copy'
  | 'new-tab'
  | 'next-tab'
  | 'previous-tab'
  | 'move-tab-right'
  | 'move-tab-left'
  | 'split-right'
  | 'split-down'
  | 'next-pane'
  | 'detach'
  | 'leave'
  | 'help';

interface Shortcut {
  readonly action: ShortcutAction;
  /** `KeyboardEvent.code`; a letter is also found where the layout has it. */
  readonly code: string;
  /** On a key cap. */
  readonly key: string;
  readonly text: string;
}

/**
 * All with Ctrl and Shift: what programs in a terminal cannot tell from Ctrl alone, so that nothing is
 * taken from them. Left out are those that mean something after all (Ctrl Shift and a digit or `-` are
 * control characters), and those that browsers keep for themselves (N, T, W).
 */
export const SHORTCUTS: readonly Shortcut[] = [
  { action: 'new-tab', code: 'Enter', key: 'Enter', text: 'New terminal in a tab' },
  { action: 'split-right', code: 'KeyE', key: 'E', text: 'New terminal to the right' },
  { action: 'split-down', code: 'KeyO', key: 'O', text: 'New terminal below' },
  { action: 'next-pane', code: 'KeyG', key: 'G', text: 'Go to the next terminal of the tab' },
  { action: 'next-tab', code: 'BracketRight', key: ']', text: 'Next tab' },
  { action: 'previous-tab', code: 'BracketLeft', key: '[', text: 'Previous tab' },
  { action: 'move-tab-right', code: 'Period', key: '.', text: 'Move the tab to the right' },
  { action: 'move-tab-left', code: 'Comma', key: ',', text: 'Move the tab to the left' },
  { action: 'detach', code: 'KeyD', key: 'D', text: 'Detach: the program goes on without you' },
  { action: 'find', code: 'KeyF', key: 'F', text: 'Find in the output' },
  { action: 'copy', code: 'KeyC', key: 'C', text: 'Copy the selection' },
  { action: 'leave', code: 'KeyL', key: 'L', text: 'Leave the terminal: on to the buttons' },
  { action: 'help', code: 'Slash', key: '/', text: 'Show these keys' },
];

/** Which shortcut was pressed. Absent: none, the key is the program's. */
export function shortcutOf(event: KeyboardEvent): ShortcutAction | undefined {
  if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return undefined;
  const isLetter = /^[a-z]$/i.test(event.key);
  const code = isLetter ? `Key${event.key.toUpperCase()}` : event.code;
  return SHORTCUTS.find((shortcut) => shortcut.code === code)?.action;
}

/** For tool tips. */
export function shortcutLabel(action: ShortcutAction): string {
  const shortcut = SHORTCUTS.find((each) => each.action === action);
  return shortcut === undefined ? '' : `Ctrl Shift ${shortcut.key}`;
}
