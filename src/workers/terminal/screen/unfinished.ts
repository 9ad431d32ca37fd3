/** States of the emulator's parser; `common/parser/Constants.ts` of xterm.js 6. */
const ESCAPES = [1, 2];
const CSI = [3, 4, 5, 6];
const STRING = 7;
const OSC = 8;
const DCS = [9, 10, 11, 12, 13];

/**
 * What puts an emulator into the middle of a sequence that has no end in sight, of the same kind but without
 * a meaning: what follows is swallowed up to the end of it, and does nothing.
 */
export function unfinishedSequence(parserState: number): string {
  // OSC 9999 and DCS z are nobody's.
  if (parserState === OSC) return '\x1b]9999;';
  if (parserState === STRING) return '\x1b^';
  if (DCS.includes(parserState)) return '\x1bPz';
  // A private mark behind a parameter makes an emulator ignore all up to the final byte.
  if (CSI.includes(parserState)) return '\x1b[0<';
  if (ESCAPES.includes(parserState)) return '\x1b  ';
  return '';
}
