/**
 * What is read of the emulator's inside. Its public face leaves out what a snapshot must hold: scroll
 * region, saved cursor, charsets, tab stops, mouse encoding, underline styles, links. The package is pinned
 * exactly, and `coreOf` refuses another inside.
 */
import type { Terminal } from '@xterm/headless';
import { HoldfastError } from '../../../shared/common/index.js';

/** A table of characters, known by its identity. Absent: ASCII. */
export type Charset = object | undefined;

/** Underline and link of a cell or of the pen. */
export interface ExtendedAttributes {
  /** The bits that were set, whatever a link makes of them. */
  readonly _ext: number;
  readonly urlId: number;
}

export interface Attributes {
  readonly fg: number;
  readonly bg: number;
  readonly extended: ExtendedAttributes;
}

export interface Line {
  readonly isWrapped: boolean;
  /** Three words a cell: content, foreground, background. */
  readonly _data: Uint32Array;
  readonly _combined: Readonly<Record<number, string>>;
  readonly _extendedAttrs: Readonly<Record<number, ExtendedAttributes | undefined>>;
  readonly length: number;
}

export interface ScreenBuffer {
  readonly lines: {
    readonly length: number;
    get(index: number): Line | undefined;
    trimStart(count: number): void;
  };
  x: number;
  y: number;
  /** Index of the line at the top of the screen. */
  ybase: number;
  ydisp: number;
  readonly tabs: Readonly<Record<number, boolean | undefined>>;
  readonly savedX: number;
  /** Index of a line, not a row: it moves with the text. */
  savedY: number;
  readonly savedCurAttrData: Attributes;
  readonly savedCharset: Charset;
  readonly scrollTop: number;
  readonly scrollBottom: number;
}

/** A hyperlink (OSC 8). */
export interface Link {
  readonly id?: string | undefined;
  readonly uri: string;
}

export interface Core {
  readonly _inputHandler: {
    /** Synchronous, since no handler of ours returns a promise. */
    parse(data: Uint8Array): unknown;
    readonly _parser: {
      readonly currentState: number;
      /** Of the last character, if nothing but characters came since; what combining and REP look at. */
      readonly precedingJoinState: number;
    };
    readonly _curAttrData: Attributes;
    readonly _windowTitle: string;
    readonly _iconName: string;
  };
  readonly _bufferService: {
    readonly rows: number;
    readonly cols: number;
    readonly buffers: {
      readonly _normal: ScreenBuffer;
      readonly _alt: ScreenBuffer;
      readonly _activeBuffer: ScreenBuffer;
    };
  };
  readonly _charsetService: {
    readonly charset: Charset;
    readonly glevel: number;
    readonly _charsets: readonly Charset[];
  };
  readonly unicodeService: { wcwidth(code: number): number };
  readonly _oscLinkService: { registerLink(link: Link): number };
  readonly coreService: {
    readonly isCursorHidden: boolean;
    readonly modes: { readonly insertMode: boolean };
    readonly decPrivateModes: {
      readonly applicationCursorKeys: boolean;
      readonly applicationKeypad: boolean;
      readonly bracketedPasteMode: boolean;
      readonly cursorBlink: boolean | undefined;
      readonly cursorStyle: 'block' | 'underline' | 'bar' | undefined;
      readonly origin: boolean;
      readonly reverseWraparound: boolean;
      readonly sendFocus: boolean;
      readonly synchronizedOutput: boolean;
      readonly wraparound: boolean;
    };
  };
  readonly coreMouseService: { readonly activeProtocol: string; readonly activeEncoding: string };
  readonly optionsService: { readonly rawOptions: { readonly convertEol: boolean } };
}

/** Bits of the three words of a cell; see `common/buffer/Constants.ts` of xterm.js 6. */
export const CODE_MASK = 0x1fffff;
export const COMBINED = 0x200000;
export const CONTENT_MASK = 0x3fffff;
export const WIDTH_SHIFT = 22;
/** An empty cell's content: no character, one column. */
export const EMPTY = 1 << WIDTH_SHIFT;
export const COLOR_MODE = 0x3000000;
export const COLOR_16 = 0x1000000;
export const COLOR_256 = 0x2000000;
export const COLOR_RGB = 0x3000000;
export const COLOR_BITS = 0x3ffffff;
export const FG = {
  inverse: 0x4000000,
  bold: 0x8000000,
  underline: 0x10000000,
  blink: 0x20000000,
  invisible: 0x40000000,
  strikethrough: 0x80000000,
} as const;
export const BG = {
  italic: 0x4000000,
  dim: 0x8000000,
  extended: 0x10000000,
  protected: 0x20000000,
  overline: 0x40000000,
} as const;

/**
 * The inside of `terminal`.
 * @throws {HoldfastError} ERR_INTERNAL if it is another one than this folder was written for.
 */
export function coreOf(terminal: Terminal): Core {
  const core = (terminal as unknown as { readonly _core: Core })._core;
  const { _inputHandler: input, _bufferService: buffers } = core;
  const line = buffers.buffers._normal.lines.get(0);
  const known =
    typeof input.parse === 'function' &&
    input._parser.currentState === 0 &&
    input._parser.precedingJoinState === 0 &&
    typeof input._curAttrData.extended._ext === 'number' &&
    typeof input._windowTitle === 'string' &&
    line?._data.length === 3 * buffers.cols &&
    Array.isArray(core._charsetService._charsets) &&
    core.coreService.decPrivateModes.wraparound &&
    core.coreMouseService.activeProtocol === 'NONE' &&
    typeof core.unicodeService.wcwidth === 'function' &&
    typeof core._oscLinkService.registerLink === 'function';
  if (!known) throw new HoldfastError('ERR_INTERNAL', 'an unknown inside of @xterm/headless');
  return core;
}
