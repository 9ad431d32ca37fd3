import type { CuredWhileWriting, Inside } from './inside.js';

/**
 * Erasing all before the cursor (ED 1) throws when the cursor is in the last column of the last line: it
 * looks at the line below. There it erases the same as ED 2, which does not.
 */
export function cureErase(terminal: CuredWhileWriting): void {
  const input = (terminal as Inside)._core?._inputHandler;
  const erase = (params: (number | number[])[], selective: boolean): boolean => {
    const { cursorX, cursorY } = terminal.buffer.active;
    const isLast = cursorY >= terminal.rows - 1 && cursorX >= terminal.cols - 1;
    if (params[0] !== 1 || !isLast || input === undefined) return false;
    return input.eraseInDisplay({ params: [2] }, selective);
  };
  terminal.parser.registerCsiHandler({ final: 'J' }, (params) => erase(params, false));
  terminal.parser.registerCsiHandler({ prefix: '?', final: 'J' }, (params) => erase(params, true));
}
