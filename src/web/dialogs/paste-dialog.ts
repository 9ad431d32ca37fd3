import { el } from '../dom.js';
import { ask } from './dialog.js';

const PREVIEW_LINES = 8;

/**
 * Asks before several lines are pasted into a program that has not asked for bracketed paste: there each
 * line would run as if typed. Resolves with the answer.
 */
export function confirmPaste(text: string): Promise<boolean> {
  const lines = text.split('\n');
  const preview = lines.slice(0, PREVIEW_LINES).join('\n');
  return ask({
    title: `Paste ${String(lines.length)} lines?`,
    body: [
      el('p', {}, 'The program takes each line as if you had typed it and pressed Enter.'),
      el('pre', { class: 'preview' }, preview + (lines.length > PREVIEW_LINES ? '\n…' : '')),
    ],
    yes: 'Paste',
  });
}
