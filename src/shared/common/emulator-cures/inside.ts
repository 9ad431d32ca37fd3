/**
 * The inside of an emulator of @xterm 6.0.0, as far as the cures use it. Without its types, which differ between
 * the package of the page and that of the agent.
 */

/** The part of a `Terminal` that is used, its inside included. */
export interface CurableTerminal {
  readonly parser: {
    registerCsiHandler(
      id: { readonly prefix?: string; readonly final: string },
      handler: (params: (number | number[])[]) => boolean,
    ): unknown;
  };
}

export interface Line {
  readonly length: number;
  /** Characters of more than one code point, by column. */
  _combined: Record<number, string>;
  getWidth(index: number): number;
  resize(cols: number, fill: unknown): unknown;
  setCell(index: number, cell: unknown): void;
  setCellFromCodepoint(index: number, code: number, width: number, attributes: Attributes): void;
  copyCellsFrom(from: Line, column: number, to: number, length: number, isReverse: boolean): void;
}

export interface Buffer {
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
export interface Extended {
  ext: number;
  urlId: number;
  clone(): Extended;
}

export interface Attributes {
  extended: Extended;
}

export interface InputHandler {
  readonly _curAttrData: Attributes;
  readonly _parser: { precedingJoinState: number };
  print(data: Uint32Array, start: number, end: number): void;
  eraseInDisplay(params: { readonly params: readonly number[] }, selective: boolean): boolean;
  saveCursor(params?: unknown): boolean;
  restoreCursor(params?: unknown): boolean;
  softReset(params: unknown): boolean;
}

export interface ActiveBuffer {
  readonly savedCurAttrData: Attributes;
  /** As many as there are columns: a wrap is pending. */
  x: number;
  readonly y: number;
  readonly ybase: number;
  readonly lines: { get(index: number): Line | undefined };
}

export interface Inside {
  readonly _core?: {
    readonly _bufferService?: {
      readonly buffer?: ActiveBuffer;
      readonly buffers?: { readonly normal?: Buffer; readonly alt?: Buffer };
    };
    readonly _inputHandler?: InputHandler;
    readonly coreService?: { readonly decPrivateModes: { readonly wraparound: boolean } };
  };
}

export interface CuredWhileWriting extends CurableTerminal {
  readonly cols: number;
  readonly rows: number;
  readonly buffer: { readonly active: { readonly cursorX: number; readonly cursorY: number } };
}
