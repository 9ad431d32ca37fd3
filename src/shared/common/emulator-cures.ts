/**
 * Cures for defects of @xterm 6.0.0 that every emulator of ours needs, in the page as in the agent. Without
 * its types, which differ between the two packages.
 */

/** The part of a `Terminal` that is used, its inside included. */
interface CurableTerminal {
  readonly parser: {
    registerCsiHandler(
      id: { readonly prefix?: string; readonly final: string },
      handler: (params: (number | number[])[]) => boolean,
    ): unknown;
  };
}

interface Line {
  readonly length: number;
  getWidth(index: number): number;
  resize(cols: number, fill: unknown): unknown;
  setCell(index: number, cell: unknown): void;
  setCellFromCodepoint(index: number, code: number, width: number, attributes: Attributes): void;
}

interface Buffer {
  savedX: number;
  savedY: number;
  readonly ybase: number;
  readonly tabs: Record<string, boolean | undefined>;
  readonly lines: {
    readonly length: number;
    maxLength: number;
    get(index: number): Line | undefined;
  };
  getNullCell(): unknown;
}

/** Underline style, underline colour and link. */
interface Extended {
  ext: number;
  urlId: number;
  clone(): Extended;
}

interface Attributes {
  extended: Extended;
}

interface InputHandler {
  readonly _curAttrData: Attributes;
  readonly _parser: { precedingJoinState: number };
  print(data: Uint32Array, start: number, end: number): void;
  eraseInDisplay(params: { readonly params: readonly number[] }, selective: boolean): boolean;
  saveCursor(params?: unknown): boolean;
  restoreCursor(params?: unknown): boolean;
  softReset(params: unknown): boolean;
}

interface ActiveBuffer {
  readonly savedCurAttrData: Attributes;
  readonly y: number;
  readonly ybase: number;
  readonly lines: { get(index: number): Line | undefined };
}

interface Inside {
  readonly _core?: {
    readonly _bufferService?: {
      readonly buffer?: ActiveBuffer;
      readonly buffers?: { readonly normal?: Buffer; readonly alt?: Buffer };
    };
    readonly _inputHandler?: InputHandler;
    readonly coreService?: { readonly decPrivateModes: { readonly wraparound: boolean } };
  };
}

/** Cures a new emulator of what it does wrong with output. */
export function cureEmulator(terminal: CuredWhileWriting): void {
  cureErase(terminal);
  cureSavedCursor(terminal);
  cureUnwrapped(terminal);
}

interface CuredWhileWriting extends CurableTerminal {
  readonly cols: number;
  readonly rows: number;
  readonly buffer: { readonly active: { readonly cursorX: number; readonly cursorY: number } };
}

/**
 * Erasing all before the cursor (ED 1) throws when the cursor is in the last column of the last line: it
 * looks at the line below. There it erases the same as ED 2, which does not.
 */
function cureErase(terminal: CuredWhileWriting): void {
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

/**
 * Saving the cursor (DECSC) leaves out underline style and colour and the link, and restoring it takes those
 * that are in use by then, for a text that has none of them: underlined without an underline, which no other
 * output leads to. Here all are saved and restored, as in VT terminals all attributes are.
 */
function cureSavedCursor(terminal: object): void {
  const core = (terminal as Inside)._core;
  const input = core?._inputHandler;
  if (input === undefined) return;
  const saved = (): Attributes | undefined => core?._bufferService?.buffer?.savedCurAttrData;
  const keep = (): void => {
    const attributes = saved();
    if (attributes !== undefined) attributes.extended = input._curAttrData.extended.clone();
  };
  const save = input.saveCursor.bind(input);
  input.saveCursor = (params) => {
    keep();
    return save(params);
  };
  const restore = input.restoreCursor.bind(input);
  input.restoreCursor = (params) => {
    const attributes = saved();
    if (attributes !== undefined) input._curAttrData.extended = attributes.extended.clone();
    return restore(params);
  };
  // It saves the attributes of a fresh emulator.
  const softReset = input.softReset.bind(input);
  input.softReset = (params) => {
    const isDone = softReset(params);
    keep();
    return isDone;
  };
}

/**
 * Without auto-wrap, what does not fit is written over the last column. If that was the second half of a wide
 * character, its first half stays, unless what came was cut between the two: then the emulator erases it. How
 * the network cuts must not matter, so it always does.
 */
function cureUnwrapped(terminal: CuredWhileWriting): void {
  const core = (terminal as Inside)._core;
  const input = core?._inputHandler;
  if (input === undefined) return;
  const print = input.print.bind(input);
  input.print = (data, start, end) => {
    print(data, start, end);
    if (core?.coreService?.decPrivateModes.wraparound !== false) return;
    const active = core._bufferService?.buffer;
    const line = active?.lines.get(active.ybase + active.y);
    const first = terminal.cols - 2;
    if (line?.getWidth(first) !== 2 || line.getWidth(first + 1) === 0) return;
    line.setCellFromCodepoint(first, 0, 1, input._curAttrData);
  };
}

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
