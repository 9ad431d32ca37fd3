import type { Buffer, Inside } from './inside.js';

/**
 * Resizes `terminal`. By itself it keeps out of sight what a smaller screen has no room for, and shows it
 * again when the screen grows: what is cut off on the right of the alternate screen, tab stops there, and a
 * saved cursor below. It leaves the first half of a wide character behind where the second is cut off. And what
 * joins the character before the cursor joins what lies there after the lines were broken anew. Output leads to
 * none of these, so no snapshot could.
 */
export function resizeEmulator(
  terminal: {
    readonly cols: number;
    readonly rows: number;
    resize(cols: number, rows: number): void;
  },
  size: { readonly rows: number; readonly cols: number },
): void {
  const set = (terminal as Inside)._core?._bufferService?.buffers;
  const buffers = [set?.normal, set?.alt].filter((buffer) => buffer !== undefined);
  // It may have scrolled away, to where a taller screen would find it again.
  for (const buffer of buffers) {
    buffer.savedY = Math.max(buffer.savedY, buffer.ybase);
    // Saved behind the last column, which is restored as the last one, but would not be on a wider screen.
    buffer.savedX = Math.min(buffer.savedX, terminal.cols - 1);
    // One may have been set there, with the cursor behind the last column.
    cutTabStops(buffer, terminal.cols);
  }
  terminal.resize(size.cols, size.rows);
  // The character before the cursor may be another one now, or none at all.
  const input = (terminal as Inside)._core?._inputHandler;
  if (input !== undefined) input._parser.precedingJoinState = 0;
  for (const buffer of buffers) {
    buffer.savedY = Math.min(buffer.savedY, buffer.ybase + terminal.rows - 1);
    buffer.savedX = Math.min(buffer.savedX, terminal.cols - 1);
    cutTabStops(buffer, terminal.cols);
    cutLines(buffer, terminal.cols);
  }
  // While it is not shown it keeps room for more lines than it has rows, and would scroll into it later.
  if (set?.alt?.lines.length === 0) set.alt.lines.maxLength = terminal.rows;
}

function cutTabStops({ tabs }: Buffer, cols: number): void {
  for (const column of Object.keys(tabs)) if (Number(column) >= cols) tabs[column] = false;
}

function cutLines(buffer: Buffer, cols: number): void {
  for (let index = 0; index < buffer.lines.length; index += 1) {
    const line = buffer.lines.get(index);
    if (line === undefined) continue;
    if (line.length > cols) line.resize(cols, buffer.getNullCell());
    if (line.getWidth(line.length - 1) === 2) line.setCell(line.length - 1, buffer.getNullCell());
  }
}
