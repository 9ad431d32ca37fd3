import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal } from '@xterm/xterm';
import { cureEmulator, limits } from '../../shared/common/index.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';
import type { Settings } from '../settings/settings.js';
import { settings, watchSettings } from '../settings/store.js';
import { themeOf, watchSystemTheme } from '../settings/themes.js';
import { ReplayGuard } from './replay-guard.js';
import { safeLink } from './untrusted-text.js';

const SYSTEM_FONTS = `ui-monospace, 'SF Mono', 'Cascadia Mono', 'JetBrains Mono', Menlo, 'DejaVu Sans Mono', 'Liberation Mono', monospace`;

/** A link in the output that the pointer is on, or that was clicked. */
export interface OutputLink {
  /** Where it leads; one that is not safe to open is never told. */
  readonly url: URL;
  /** The text on the screen says where it leads. */
  readonly isPlain: boolean;
}

export interface EmulatorOptions {
  /** A link was clicked. */
  readonly openLink: (link: OutputLink) => void;
  /** The pointer came to a link, or left it. */
  readonly hoverLink: (link: OutputLink | undefined) => void;
}

/** An xterm.js terminal with its addons, set up the safe way. Owns the element it was opened in. */
export interface Emulator {
  readonly terminal: Terminal;
  readonly guard: ReplayGuard;
  readonly search: SearchAddon;
  /** The size that fills the element. Absent: the element is not laid out. */
  fittingSize(): TerminalSize | undefined;
  /** Only what is in view may hold one of the browser's few drawing contexts. */
  setVisible(visible: boolean): void;
  dispose(): void;
}

/** What xterm.js leaves out on purpose stays out: window operations, images. The settings are followed. */
export function openEmulator(host: HTMLElement, options: EmulatorOptions): Emulator {
  const link = (text: string, isPlain: boolean): OutputLink | undefined => {
    const url = safeLink(text);
    return url === undefined ? undefined : { url, isPlain };
  };
  const handlers = (isPlain: boolean) => ({
    activate: (_: MouseEvent, text: string): void => {
      const target = link(text, isPlain);
      if (target !== undefined) options.openLink(target);
    },
    hover: (_: MouseEvent, text: string): void => {
      options.hoverLink(link(text, isPlain));
    },
    leave: (): void => {
      options.hoverLink(undefined);
    },
  });
  const terminal = new Terminal({
    ...emulatorOptions(settings()),
    allowProposedApi: true,
    lineHeight: 1.15,
    macOptionIsMeta: true,
    minimumContrastRatio: 4.5,
    linkHandler: { ...handlers(false), allowNonHttpProtocols: true },
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  const { activate, ...pointer } = handlers(true);
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.loadAddon(new Unicode11Addon());
  terminal.loadAddon(new WebLinksAddon(activate, pointer));
  terminal.unicode.activeVersion = '11';
  cureEmulator(terminal);
  terminal.open(host);
  const stopSettings = watchSettings((chosen) => {
    Object.assign(terminal.options, emulatorOptions(chosen));
  });
  const stopTheme = watchSystemTheme(() => {
    terminal.options.theme = themeOf(settings().theme).colors;
  });
  const guard = new ReplayGuard(terminal);
  let webgl: WebglAddon | undefined;
  return {
    terminal,
    guard,
    search,
    fittingSize: () => {
      const size = fit.proposeDimensions();
      if (size === undefined || !(size.rows > 0) || !(size.cols > 0)) return undefined;
      return { rows: clampCells(size.rows), cols: clampCells(size.cols) };
    },
    setVisible: (visible) => {
      if (visible) {
        webgl ??= loadWebgl(terminal, () => {
          webgl = undefined;
        });
      } else {
        webgl?.dispose();
        webgl = undefined;
      }
    },
    dispose: () => {
      stopSettings();
      stopTheme();
      guard.dispose();
      terminal.dispose();
    },
  };
}

function emulatorOptions(chosen: Settings) {
  return {
    cursorBlink: chosen.cursorBlink,
    cursorStyle: chosen.cursor,
    fontFamily: chosen.fontFamily === '' ? SYSTEM_FONTS : `'${chosen.fontFamily}', ${SYSTEM_FONTS}`,
    fontSize: chosen.fontSize,
    scrollback: chosen.scrollback,
    theme: themeOf(chosen.theme).colors,
  };
}

/** The GPU draws where there is one; when it is lost or missing, the DOM does. */
function loadWebgl(terminal: Terminal, lost: () => void): WebglAddon | undefined {
  try {
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => {
      webgl.dispose();
      lost();
    });
    terminal.loadAddon(webgl);
    return webgl;
  } catch {
    // The DOM renderer is in place already.
    return undefined;
  }
}

function clampCells(cells: number): number {
  return Math.min(limits.MAX_CELLS, Math.max(limits.MIN_CELLS, Math.floor(cells)));
}
