import type { Inside, Line } from './inside.js';

/** Classes of lines that are cured already. */
const cured = new WeakSet<object>();

/**
 * Copying cells from line to line, as a change of the width does, also copies the combined characters of all
 * cells behind those that were meant, over others, and some that are no longer shown: the text changes.
 */
export function cureCopies(terminal: object): void {
  const line = (terminal as Inside)._core?._bufferService?.buffers?.normal?.lines.get(0);
  const lines = line === undefined ? undefined : (Object.getPrototypeOf(line) as Line);
  if (lines === undefined || cured.has(lines)) return;
  cured.add(lines);
  const copy = lines.copyCellsFrom;
  lines.copyCellsFrom = function (this: Line, from, column, to, length, isReverse) {
    const combined = from._combined;
    const meant = Object.entries(combined).filter(
      ([key]) => Number(key) >= column && Number(key) < column + length,
    );
    from._combined = {};
    copy.call(this, from, column, to, length, isReverse);
    from._combined = combined;
    for (const [key, text] of meant) this._combined[Number(key) - column + to] = text;
  };
}
