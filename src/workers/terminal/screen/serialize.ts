import type { CharsetNames } from './charsets.js';
import type { Extras } from './extras.js';
import {
  CODE_MASK,
  COLOR_BITS,
  COMBINED,
  CONTENT_MASK,
  WIDTH_SHIFT,
  type Attributes,
  type Core,
  type Line,
  type Link,
  type ScreenBuffer,
} from './internals.js';
import { Pen } from './pen.js';
import { extendedOf, lineEnd, LineWriter } from './write-lines.js';

/** A longer title is nothing that anybody reads. */
const MAX_TITLE = 1_024;
const TAB_WIDTH = 8;
const MOUSE_PROTOCOLS: Readonly<Record<string, number>> = {
  X10: 9,
  VT200: 1000,
  DRAG: 1002,
  ANY: 1003,
};
const MOUSE_ENCODINGS: Readonly<Record<string, number>> = { SGR: 1006, SGR_PIXELS: 1016 };
const CURSOR_STYLES = { block: 1, underline: 3, bar: 5 } as const;

/** What is read of an emulator to make a snapshot of it. */
export interface Serializable {
  readonly core: Core;
  readonly extras: Extras;
  readonly charsets: CharsetNames;
  readonly links: ReadonlyMap<number, Link>;
}

/** How much of the lines above the screen a snapshot takes along, since a taller screen shows them. */
export interface SnapshotScope {
  readonly linesAbove: number;
  /** Without colours and other attributes, where they would make it too large. */
  readonly plain?: boolean;
}

/** Brings a fresh emulator of the same size to the same state. */
export function serializeScreen(from: Serializable, scope: SnapshotScope): string {
  const { core } = from;
  const { _normal: normal, _alt: alternate, _activeBuffer: active } = core._bufferService.buffers;
  const pen = new Pen(from.links);
  let out = prologue(from);
  if (active === normal) out += savedInAlternate(from, pen);
  out += content(core, normal, pen, scope);
  if (active === normal) {
    out += from.extras.keyboard('normal');
    out += tabStops(core, normal) + margins(core, normal);
    return out + finish(from, normal, pen, false);
  }
  out += from.extras.keyboard('normal') + tabStops(core, normal);
  out += enterAlternate(from, normal, pen);
  out += content(core, alternate, pen, scope);
  out += from.extras.keyboard('alternate');
  out += tabStops(core, alternate) + margins(core, alternate);
  return out + finish(from, alternate, pen, false);
}

/** The same without anything on the screen, the cursor at home and the pen as it is at first. */
export function serializeModes(from: Serializable): string {
  const { _normal: normal } = from.core._bufferService.buffers;
  const pen = new Pen(from.links);
  const buffer = tabStops(from.core, normal) + margins(from.core, normal);
  return (
    prologue(from) +
    savedInAlternate(from, pen) +
    from.extras.keyboard('normal') +
    buffer +
    finish(from, normal, pen, true)
  );
}

/** What brings the pen of {@link serializeModes} to the one of the emulator. */
export function serializePen({ core, links }: Serializable): string {
  return new Pen(links).setTo(core._inputHandler._curAttrData);
}

/** What does not depend on the buffers. States what a reset leaves as it was. */
function prologue({ core, extras }: Serializable): string {
  const { decPrivateModes: modes } = core.coreService;
  const { _windowTitle: title, _iconName: icon } = core._inputHandler;
  let out = extras.sequences();
  out += core.coreService.isCursorHidden ? '\x1b[?25l' : '\x1b[?25h';
  out += core.optionsService.rawOptions.convertEol ? '\x1b[20h' : '\x1b[20l';
  if (modes.applicationCursorKeys) out += '\x1b[?1h';
  if (modes.applicationKeypad) out += '\x1b=';
  if (modes.bracketedPasteMode) out += '\x1b[?2004h';
  if (modes.reverseWraparound) out += '\x1b[?45h';
  if (modes.sendFocus) out += '\x1b[?1004h';
  if (modes.cursorStyle !== undefined) {
    const style = CURSOR_STYLES[modes.cursorStyle] + (modes.cursorBlink === true ? 0 : 1);
    out += `\x1b[${String(style)} q`;
  }
  const protocol = MOUSE_PROTOCOLS[core.coreMouseService.activeProtocol];
  if (protocol !== undefined) out += `\x1b[?${String(protocol)}h`;
  const encoding = MOUSE_ENCODINGS[core.coreMouseService.activeEncoding];
  if (encoding !== undefined) out += `\x1b[?${String(encoding)}h`;
  if (icon !== '' && icon.length <= MAX_TITLE) out += `\x1b]1;${icon}\x1b\\`;
  if (title !== '' && title.length <= MAX_TITLE) out += `\x1b]2;${title}\x1b\\`;
  return out;
}

/** The lines of `buffer`, from a few above its screen to its last one that is not blank. */
function content(core: Core, buffer: ScreenBuffer, pen: Pen, scope: SnapshotScope): string {
  const { rows, cols } = core._bufferService;
  const first = Math.max(0, buffer.ybase - scope.linesAbove);
  const lines: Line[] = [];
  for (let index = first; index < buffer.ybase + rows; index += 1) {
    const line = buffer.lines.get(index);
    if (line !== undefined) lines.push(scope.plain === true ? withoutAttributes(line) : line);
  }
  if (first === buffer.ybase) {
    // Nothing has to scroll, so blank lines at the end need not be written.
    while (lines.length > 0) {
      const last = lines.at(-1) as Line;
      if (lineEnd(last) > 0 || last.isWrapped) break;
      lines.pop();
    }
  }
  return new LineWriter(pen, { rows, cols }).write(lines) + pen.reset();
}

function withoutAttributes(line: Line): Line {
  const data = line._data.slice();
  for (let at = 0; at < data.length; at += 3) {
    data[at + 1] = 0;
    data[at + 2] = 0;
  }
  return {
    isWrapped: line.isWrapped,
    _data: data,
    _combined: line._combined,
    _extendedAttrs: {},
    length: line.length,
  };
}

function tabStops(core: Core, { tabs }: ScreenBuffer): string {
  const { cols } = core._bufferService;
  let isDefault = true;
  let out = '\x1b[3g';
  for (let x = 0; x < cols; x += 1) {
    const isStop = tabs[x] === true;
    if (isStop !== (x % TAB_WIDTH === 0)) isDefault = false;
    if (isStop) out += `\x1b[${String(x + 1)}G\x1bH`;
  }
  return isDefault ? '' : out;
}

function margins(core: Core, { scrollTop, scrollBottom }: ScreenBuffer): string {
  if (scrollTop === 0 && scrollBottom === core._bufferService.rows - 1) return '';
  return `\x1b[${String(scrollTop + 1)};${String(scrollBottom + 1)}r`;
}

/** Leaves the normal buffer with its cursors, and enters the other, which is blank then. */
function enterAlternate(from: Serializable, normal: ScreenBuffer, pen: Pen): string {
  const { core } = from;
  const { x, y, ybase, savedX, savedY, savedCurAttrData: attributes, savedCharset } = normal;
  const isPlain = isDefault(attributes) && savedCharset === undefined;
  let out = margins(core, normal);
  if (isPlain && savedX === x && savedY === ybase + y) {
    // Understood by all; it saves the cursor and takes it along.
    out += `${moveToSaved(core, normal, false)}\x1b[?1049h`;
  } else {
    // The cursor that stays behind counts as well: a change of the size looks at its line.
    out += savedCursor(from, normal, pen, false);
    out += `${moveTo(y, Math.min(core._bufferService.cols - 1, x))}\x1b[?1047h`;
  }
  return `${out}\x1b[H`;
}

/** The other buffer keeps its saved cursor and its keyboard while it is not shown. */
function savedInAlternate(from: Serializable, pen: Pen): string {
  const { _alt: alternate } = from.core._bufferService.buffers;
  const saved = from.extras.keyboard('alternate') + savedCursor(from, alternate, pen, false);
  return saved === '' ? '' : `\x1b[?1047h${saved}\x1b[?1047l\x1b[H`;
}

/** Saved cursor, charsets, modes that change how all else is understood; then the cursor and the pen. */
function finish(from: Serializable, buffer: ScreenBuffer, pen: Pen, isBlank: boolean): string {
  const { core, charsets } = from;
  const { charset, glevel, _charsets: sets } = core._charsetService;
  const { insertMode } = core.coreService.modes;
  const { origin, wraparound, synchronizedOutput } = core.coreService.decPrivateModes;
  let out = savedCursor(from, buffer, pen, isBlank);
  if (origin) out += '\x1b[?6h';
  const place = isBlank ? '\x1b[H' : pendingWrap(core, buffer, pen) || cursor(core, buffer);
  out += place;
  for (let slot = 0; slot < 4; slot += 1) {
    if (sets[slot] !== undefined) out += charsets.designate(slot, sets[slot]);
  }
  if (glevel !== 0) out += charsets.shift(glevel);
  // Only a DECRC leaves it so, and then the set is the saved one; the cursor has to be placed again.
  if (charset !== sets[glevel]) out += `\x1b8${pen.forget()}${place}`;
  if (insertMode) out += '\x1b[4h';
  if (!wraparound) out += '\x1b[?7l';
  if (synchronizedOutput) out += '\x1b[?2026h';
  if (isBlank) return out;
  out += pen.setTo(core._inputHandler._curAttrData);
  return out + joinable(core, buffer, pen);
}

function savedCursor(from: Serializable, buffer: ScreenBuffer, pen: Pen, isBlank: boolean): string {
  const { savedX, savedY, savedCurAttrData: attributes, savedCharset } = buffer;
  const isHome = savedX === 0 && savedY <= buffer.ybase;
  if (isHome && isDefault(attributes) && savedCharset === undefined) return '';
  const { charsets, core } = from;
  let out = moveToSaved(core, buffer, isBlank);
  if (savedCharset !== undefined) out += charsets.designate(0, savedCharset);
  out += pen.save(attributes) + pen.reset();
  if (savedCharset !== undefined) out += charsets.designate(0, undefined);
  return out;
}

function isDefault({ fg, bg, extended }: Attributes): boolean {
  return fg === 0 && bg === 0 && (extended._ext & COLOR_BITS) === 0;
}

/** DECRC clamps to the screen, so what was saved beyond it may as well be saved at its edge. */
function moveToSaved(core: Core, buffer: ScreenBuffer, isBlank: boolean): string {
  const { rows, cols } = core._bufferService;
  const row = isBlank ? 0 : Math.min(rows - 1, Math.max(0, buffer.savedY - buffer.ybase));
  return moveTo(row, Math.min(cols - 1, buffer.savedX));
}

function cursor(core: Core, buffer: ScreenBuffer): string {
  return moveTo(cursorRow(core, buffer), Math.min(core._bufferService.cols - 1, buffer.x));
}

/** As CUP counts it: from the top margin, in origin mode. */
function cursorRow(core: Core, { y, scrollTop }: ScreenBuffer): number {
  return core.coreService.decPrivateModes.origin ? Math.max(0, y - scrollTop) : y;
}

function moveTo(row: number, column: number): string {
  if (row === 0 && column === 0) return '\x1b[H';
  return `\x1b[${String(row + 1)};${String(column + 1)}H`;
}

/**
 * Whether a snapshot can be exact. Out of reach, until what comes next takes it from there, are: a set that was
 * restored in the other buffer and never designated, the cursor outside of the margins in origin mode, where
 * only a switch of buffers leaves it, and the cursor behind the last column of the alternate screen where nothing
 * is written, or by a character of a set that is not the one that is written with.
 */
export function isSerializable(core: Core): boolean {
  const { _bufferService: service, _charsetService: sets, coreService } = core;
  const { _activeBuffer: buffer, _normal: normal } = service.buffers;
  const isDesignated = sets.charset === sets._charsets[sets.glevel];
  if (!isDesignated && sets.charset !== buffer.savedCharset) return false;
  const { y, scrollTop, scrollBottom } = buffer;
  if (coreService.decPrivateModes.origin && (y < scrollTop || y > scrollBottom)) return false;
  if (buffer.x < service.cols) return true;
  if (!isDesignated) return false;
  const line = buffer.lines.get(buffer.ybase + buffer.y);
  return buffer === normal || line === undefined || reachesEnd(line, lastCharacter(line));
}

/** Column of the character that ends in the last one. */
function lastCharacter({ _data: data, length }: Line): number {
  const last = length - 1;
  return last > 0 && (data[3 * last] as number) >>> WIDTH_SHIFT === 0 ? last - 1 : last;
}

/** Whether writing the character at `x` again takes the cursor behind the last column. */
function reachesEnd({ _data: data, length }: Line, x: number): boolean {
  const content = data[3 * x] as number;
  return (content & CONTENT_MASK) !== 0 && x + (content >>> WIDTH_SHIFT) === length;
}

/** Writes the last character of the cursor's line again: nothing else leaves the cursor behind it. */
function pendingWrap(core: Core, buffer: ScreenBuffer, pen: Pen): string {
  const { rows, cols } = core._bufferService;
  if (buffer.x < cols) return '';
  const line = buffer.lines.get(buffer.ybase + buffer.y);
  if (line === undefined) return '';
  const x = lastCharacter(line);
  if (!reachesEnd(line, x)) {
    // Erased or overwritten since. The other buffer, which is blank, hands its cursor over as it is.
    if (buffer !== core._bufferService.buffers._normal) return '';
    return `${pen.reset()}\x1b[?1047h${moveTo(buffer.y, cols - 1)}x\x1b[?1047l`;
  }
  const text = new LineWriter(pen, { rows, cols }).cell(line, x);
  // `cell` starts at its own column; the row is ours to say.
  return moveTo(cursorRow(core, buffer), x) + text + pen.reset();
}

/**
 * Writes the character before the cursor once more, if the emulator may still have to join a combining
 * character to it, or repeat it. Only where that changes nothing else. If it must not, but a pending wrap was
 * made by writing one, an ST parts it from what follows.
 */
function joinable(core: Core, buffer: ScreenBuffer, pen: Pen): string {
  if (core._inputHandler._parser.precedingJoinState === 0) {
    return buffer.x < core._bufferService.cols ? '' : '\x1b\\';
  }
  const { coreService, _charsetService: charsetService } = core;
  const line = buffer.lines.get(buffer.ybase + buffer.y);
  if (line === undefined) return '';
  const { rows, cols } = core._bufferService;
  let x = buffer.x - 1;
  if (x > 0 && (line._data[3 * x] as number) >>> WIDTH_SHIFT === 0) x -= 1;
  const content = x < 0 ? 0 : (line._data[3 * x] as number);
  if ((content & CONTENT_MASK) === 0 || (content & COMBINED) !== 0) return '';
  // A set that has another character in its place would write that one.
  const table = charsetService.charset as Readonly<Record<string, string>> | undefined;
  if (table?.[String.fromCodePoint(content & CODE_MASK)] !== undefined) return '';
  const fg = line._data[3 * x + 1] as number;
  const bg = line._data[3 * x + 2] as number;
  if (pen.set(fg, bg, extendedOf(line, x)) !== '') {
    pen.setTo(core._inputHandler._curAttrData);
    return '';
  }
  // Inserted where it was taken out.
  const room = coreService.modes.insertMode ? `\x1b[${String(content >>> WIDTH_SHIFT)}P` : '';
  if (room !== '' && buffer.x >= cols) return '';
  // Not by CHA, which in origin mode changes the row as well.
  return (
    moveTo(cursorRow(core, buffer), x) + room + new LineWriter(pen, { rows, cols }).cell(line, x)
  );
}
