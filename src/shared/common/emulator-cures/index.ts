/**
 * Cures for defects of @xterm 6.0.0 that every emulator of ours needs, in the page as in the agent, so that the
 * same bytes lead to the same screen however they come (ADR 24). Any thread, and the browser.
 */
import { cureCopies } from './copies.js';
import { cureErase } from './erase.js';
import type { CuredWhileWriting } from './inside.js';
import { cureLastColumn } from './last-column.js';
import { cureSavedCursor } from './saved-cursor.js';

export { resizeEmulator } from './resize.js';

/** Cures a new emulator of what it does wrong with output. */
export function cureEmulator(terminal: CuredWhileWriting): void {
  cureErase(terminal);
  cureSavedCursor(terminal);
  cureLastColumn(terminal);
  cureCopies(terminal);
}
