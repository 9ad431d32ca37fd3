import type { CuredWhileWriting, Inside } from './inside.js';

/**
 * What is printed in the last column. Without auto-wrap, what does not fit is written over it. If that was the
 * second half of a wide character, its first half stays, unless what came was cut between the two: then the
 * emulator erases it. How the network cuts must not matter, so it always does. And a character without a width
 * takes the cursor one further than a pending wrap is, where some sequences find another column.
 */
export function cureLastColumn(terminal: CuredWhileWriting): void {
  const core = (terminal as Inside)._core;
  const input = core?._inputHandler;
  if (input === undefined) return;
  const print = input.print.bind(input);
  input.print = (data, start, end) => {
    print(data, start, end);
    const active = core?._bufferService?.buffer;
    if (active === undefined) return;
    active.x = Math.min(active.x, terminal.cols);
    if (core?.coreService?.decPrivateModes.wraparound !== false) return;
    const line = active.lines.get(active.ybase + active.y);
    const first = terminal.cols - 2;
    if (line?.getWidth(first) !== 2 || line.getWidth(first + 1) === 0) return;
    line.setCellFromCodepoint(first, 0, 1, input._curAttrData);
  };
}
