import type { Terminal } from '@xterm/headless';

/**
 * What the comparison reads of the emulator's inside. Stated here once more, apart from the code under test,
 * so that what that code forgets is not forgotten here as well.
 */
export interface Inside {
  readonly _bufferService: {
    readonly rows: number;
    readonly cols: number;
    readonly buffers: {
      readonly _normal: InsideBuffer;
      readonly _alt: InsideBuffer;
      readonly _activeBuffer: InsideBuffer;
    };
  };
  readonly _inputHandler: {
    parse(bytes: Uint8Array): unknown;
    onColor(listener: (requests: readonly ColorRequest[]) => void): unknown;
    readonly _parser: { readonly currentState: number; readonly precedingJoinState: number };
    readonly _curAttrData: InsideAttributes;
    readonly _windowTitle: string;
    readonly _iconName: string;
  };
  readonly _charsetService: {
    readonly charset: unknown;
    readonly glevel: number;
    readonly _charsets: readonly unknown[];
  };
  readonly _oscLinkService: { registerLink(link: InsideLink): number };
  readonly coreService: {
    readonly isCursorHidden: boolean;
    readonly modes: object;
    readonly decPrivateModes: object;
  };
  readonly coreMouseService: { readonly activeProtocol: string; readonly activeEncoding: string };
  readonly optionsService: {
    readonly rawOptions: { readonly convertEol: boolean; readonly cursorBlink: boolean };
  };
}

export interface InsideBuffer {
  readonly x: number;
  readonly y: number;
  readonly ybase: number;
  readonly savedX: number;
  readonly savedY: number;
  readonly savedCharset: unknown;
  readonly savedCurAttrData: InsideAttributes;
  readonly scrollTop: number;
  readonly scrollBottom: number;
  readonly tabs: Readonly<Record<number, boolean | undefined>>;
  readonly lines: { get(index: number): InsideLine | undefined };
}

export interface InsideLine {
  readonly isWrapped: boolean;
  readonly length: number;
  readonly _data: Uint32Array;
  readonly _extendedAttrs: Readonly<Record<number, InsideExtended | undefined>>;
  getWidth(x: number): number;
  getString(x: number): string;
}

export interface InsideExtended {
  readonly _ext: number;
  readonly urlId: number;
}

export interface InsideAttributes {
  readonly fg: number;
  readonly bg: number;
  readonly extended: InsideExtended | undefined;
}

export interface InsideLink {
  readonly id?: string | undefined;
  readonly uri: string;
}

/** 0: asked for, 1: set, 2: back to what it was; without an index: all of the palette. */
export interface ColorRequest {
  readonly type: 0 | 1 | 2;
  readonly index?: number;
  readonly color?: readonly number[];
}

export function insideOf(terminal: Terminal): Inside {
  return (terminal as unknown as { readonly _core: Inside })._core;
}
