import { el } from '../dom.js';

const PREVIEW_LINES = 8;

/**
 * Asks before several lines are pasted into a program that has not asked for bracketed paste: there each
 * line would run as if typed. Resolves with the answer.
 */
export function confirmPaste(text: string): Promise<boolean> {
  const lines = text.split('\n');
  const preview = lines.slice(0, PREVIEW_LINES).join('\n');
  return new Promise((resolve) => {
    const dialog = el(
      'dialog',
      {
        'aria-labelledby': 'paste-title',
        onclose: () => {
          dialog.remove();
          resolve(dialog.returnValue === 'paste');
        },
      },
      el(
        'form',
        { method: 'dialog' },
        el('h2', { id: 'paste-title' }, `Paste ${String(lines.length)} lines?`),
        el('p', {}, 'The program takes each line as if you had typed it and pressed Enter.'),
        el('pre', { class: 'preview' }, preview + (lines.length > PREVIEW_LINES ? '\n…' : '')),
        el(
          'p',
          { class: 'card-foot' },
          el('button', { class: 'button', value: 'cancel' }, 'Cancel'),
          el('button', { class: 'button primary', value: 'paste', autofocus: true }, 'Paste'),
        ),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
