import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal } from '@xterm/xterm';
import { limits } from '../../shared/common/index.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';
import { ReplayGuard } from './replay-guard.js';
import { currentTheme, watchTheme } from './themes.js';
import { safeLink } from './untrusted-text.js';

const FONT = `ui-monospace, 'SF Mono', 'Cascadia Mono', 'JetBrains Mono', Menlo, 'DejaVu Sans Mono', 'Liberation Mono', monospace`;
const FONT_KEY = 'holdfast.font-size';
const FONT_SMALLEST = 8;
const FONT_LARGEST = 28;

/** An xterm.js terminal with its addons, set up the safe way. Owns the element it was opened in. */
export interface Emulator {
  readonly terminal: Terminal;
  readonly guard: ReplayGuard;
  readonly search: SearchAddon;
  /** The size that fills the element. Absent: the element is not laid out. */
  fittingSize(): TerminalSize | undefined;
  /** Changes the size of the text by `step` pixels and remembers it. */
  zoom(step: number): void;
  dispose(): void;
}

/** What xterm.js leaves out on purpose stays out: window operations, clipboard access (OSC 52), images. */
export function openEmulator(host: HTMLElement): Emulator {
  const openLink = (_: MouseEvent, text: string): void => {
    const url = safeLink(text);
    if (url !== undefined) window.open(url, '_blank', 'noopener,noreferrer');
  };
  const terminal = new Terminal({
    allowProposedApi: true,
    cursorBlink: true,
    fontFamily: FONT,
    fontSize: storedFontSize(),
    lineHeight: 1.15,
    macOptionIsMeta: true,
    minimumContrastRatio: 4.5,
    scrollback: 10_000,
    theme: currentTheme(),
    linkHandler: { activate: openLink, allowNonHttpProtocols: true },
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.loadAddon(new Unicode11Addon());
  terminal.loadAddon(new WebLinksAddon(openLink));
  terminal.unicode.activeVersion = '11';
  terminal.open(host);
  loadWebgl(terminal);
  const stopTheme = watchTheme((theme) => {
    terminal.options.theme = theme;
  });
  const guard = new ReplayGuard(terminal);
  return {
    terminal,
    guard,
    search,
    fittingSize: () => {
      const size = fit.proposeDimensions();
      if (size === undefined || !(size.rows > 0) || !(size.cols > 0)) return undefined;
      return { rows: clampCells(size.rows), cols: clampCells(size.cols) };
    },
    zoom: (step) => {
      const wanted = (terminal.options.fontSize ?? defaultFontSize()) + step;
      const size = Math.min(FONT_LARGEST, Math.max(FONT_SMALLEST, wanted));
      terminal.options.fontSize = size;
      localStorage.setItem(FONT_KEY, String(size));
    },
    dispose: () => {
      stopTheme();
      guard.dispose();
      terminal.dispose();
    },
  };
}

/** The GPU draws where there is one; when it is lost or missing, the DOM does. */
function loadWebgl(terminal: Terminal): void {
  try {
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => {
      webgl.dispose();
    });
    terminal.loadAddon(webgl);
  } catch {
    // The DOM renderer is in place already.
  }
}

function clampCells(cells: number): number {
  return Math.min(limits.MAX_CELLS, Math.max(limits.MIN_CELLS, Math.floor(cells)));
}

function defaultFontSize(): number {
  return innerWidth < 600 ? 12 : 14;
}

function storedFontSize(): number {
  const stored = Number(localStorage.getItem(FONT_KEY));
  return stored >= FONT_SMALLEST && stored <= FONT_LARGEST ? stored : defaultFontSize();
}
