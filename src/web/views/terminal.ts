import {
  ERROR_CODES,
  type ErrorRecord,
  type OwnedBytes,
  type TerminalId,
} from '../../shared/common/index.js';
import {
  createTerminalClient,
  type TerminalClient,
  type TerminalClientState,
} from '../../shared/common/terminal-client/index.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';
import type { WorkspaceConnection } from '../connection/index.js';
import { el, icon, type IconName } from '../dom.js';
import { workspacePath } from '../routes.js';
import { openEmulator, type Emulator } from '../terminal/emulator.js';
import { createKeyRow } from '../terminal/key-row.js';
import { createSearchBox } from '../terminal/search-box.js';
import { Typing } from '../terminal/typing.js';
import { cleanPaste, cleanTitle } from '../terminal/untrusted-text.js';
import { connectionBanner } from './connection-banner.js';
import { exitCard, failureCard } from './exit-card.js';
import { confirmPaste } from './paste-dialog.js';
import { StatusLine } from './status-line.js';
import { header, type View } from './view.js';

/** The size before the page is laid out. */
const FALLBACK_SIZE: TerminalSize = { rows: 24, cols: 80 };
const BELL_MS = 150;

export interface TerminalViewOptions {
  readonly root: HTMLElement;
  readonly connection: WorkspaceConnection;
  readonly id: TerminalId;
  readonly signIn: () => void;
}

/** One terminal: emulator, link to it, and what surrounds them. */
class TerminalView implements View {
  readonly element: HTMLElement;
  readonly #connection: WorkspaceConnection;
  readonly #id: TerminalId;
  readonly #host = el('div', { class: 'terminal-host' });
  readonly #overlay = el('div', { class: 'overlay' });
  readonly #status = new StatusLine();
  readonly #emulator: Emulator;
  readonly #search: ReturnType<typeof createSearchBox>;
  readonly #keys: ReturnType<typeof createKeyRow>;
  readonly #endings: (() => void)[] = [];
  readonly #leave: HTMLElement;
  #client!: TerminalClient;
  #typing!: Typing;
  #title = '';
  #hasBell = false;

  constructor({ root, connection, id, signIn }: TerminalViewOptions) {
    this.#connection = connection;
    this.#id = id;
    const { workspace } = connection;
    const banner = connectionBanner(connection, signIn);
    this.#keys = createKeyRow({
      type: (data) => {
        this.#type(new TextEncoder().encode(data));
      },
      applicationCursor: () => this.#emulator.terminal.modes.applicationCursorKeysMode,
    });
    const action = (label: string, name: IconName, onclick: () => void): HTMLElement =>
      el(
        'button',
        { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick },
        icon(name),
      );
    this.#leave = action('Find (Ctrl Shift F)', 'search', () => {
      this.#search.open();
    });
    const frame = el(
      'main',
      { class: 'terminal-frame', 'aria-label': `Terminal in ${workspace}` },
      this.#host,
      this.#overlay,
    );
    this.element = el(
      'div',
      { class: 'page terminal-page' },
      header(
        [{ label: workspace, path: workspacePath(workspace) }, { label: shortName(id) }],
        this.#leave,
        action('Smaller text', 'smaller', () => {
          this.#emulator.zoom(-1);
          this.#fit();
        }),
        action('Larger text', 'plus', () => {
          this.#emulator.zoom(1);
          this.#fit();
        }),
        action('Copy the link to this terminal', 'link', () => {
          void this.#copyLink();
        }),
      ),
      banner.element,
      frame,
      this.#keys.element,
      this.#status.element,
    );
    // The emulator measures its cells when it is opened, so it has to be in the document by then.
    root.replaceChildren(this.element);
    this.#emulator = openEmulator(this.#host);
    this.#search = createSearchBox(this.#emulator.search, () => {
      this.#emulator.terminal.focus();
    });
    frame.prepend(this.#search.element);
    this.#wireEmulator();
    this.#attach();
    this.#wireSize();
    this.#endings.push(
      () => {
        banner.dispose();
      },
      connection.listen((state) => {
        this.#status.showConnection(state);
        // Somebody who waits for a connection does not want to wait for a back-off after it as well.
        if (state.type === 'connected') this.#client.retryNow();
      }),
    );
    this.#emulator.terminal.focus();
  }

  dispose(): void {
    void this.#client.close();
    for (const end of this.#endings) end();
    this.#status.dispose();
    this.#emulator.dispose();
    document.title = 'Holdfast';
  }

  /** Begins to attach, at first and after the program or the attempt has ended. */
  #attach(): void {
    const { guard, terminal } = this.#emulator;
    this.#overlay.replaceChildren();
    const client = createTerminalClient({
      openChannel: (label) => this.#connection.openChannel('terminal', label),
      id: this.#id,
      size: this.#emulator.fittingSize() ?? FALLBACK_SIZE,
      wantsType: true,
      clientId: crypto.getRandomValues(new Uint8Array(16)),
      handlers: {
        output: (bytes, { replay }) => {
          guard.write(bytes, replay, () => {
            client.processed(bytes.length);
          });
        },
        snapshot: (bytes, { size }) => {
          guard.afterWrites(() => {
            terminal.reset();
            terminal.resize(size.cols, size.rows);
          });
          guard.write(bytes, true, () => {
            client.processed(bytes.length);
          });
        },
        restarted: () => {
          guard.afterWrites(() => {
            terminal.reset();
          });
          this.#status.notice('The terminal was started anew.');
        },
        gap: (from, to) => {
          // Ends a sequence that was cut in two, so that it does not swallow what follows.
          guard.write('\x18', true);
          this.#status.notice(`${formatBytes(to - from)} of output were skipped.`);
        },
        size: (size) => {
          guard.afterWrites(() => {
            terminal.resize(size.cols, size.rows);
            this.#status.showSize(size);
          });
        },
        title: (title) => {
          this.#setTitle(title);
        },
        state: (state) => {
          this.#showState(state);
        },
        inputRoom: () => {
          this.#typing.pump();
        },
        error: (error: ErrorRecord) => {
          this.#status.notice(`${error.message} (${error.code}). ${ERROR_CODES[error.code].hint}`);
        },
      },
    });
    this.#client = client;
    this.#typing = new Typing(client, () => {
      this.#status.notice('Too much input is waiting; this was not typed (ERR_INPUT_OVERRUN).');
    });
    client.start();
  }

  #wireEmulator(): void {
    const { terminal, guard } = this.#emulator;
    terminal.onData((data) => {
      if (!guard.isAnswer(data)) this.#type(new TextEncoder().encode(this.#keys.modify(data)));
    });
    terminal.onBinary((data) => {
      this.#type(
        Uint8Array.from(data, (character) => character.charCodeAt(0)) satisfies OwnedBytes,
      );
    });
    terminal.onTitleChange((title) => {
      this.#setTitle(title);
    });
    terminal.onBell(() => {
      this.#bell();
    });
    terminal.attachCustomKeyEventHandler((event) => this.#handleKey(event));
    this.#host.addEventListener(
      'paste',
      (event) => {
        event.preventDefault();
        event.stopPropagation();
        void this.#paste(event.clipboardData?.getData('text/plain') ?? '');
      },
      { capture: true },
    );
  }

  #wireSize(): void {
    let scheduled = 0;
    const schedule = (): void => {
      cancelAnimationFrame(scheduled);
      scheduled = requestAnimationFrame(() => {
        this.#fit();
      });
    };
    const observer = new ResizeObserver(schedule);
    observer.observe(this.#host);
    const onFocus = (): void => {
      this.#hasBell = false;
      this.#showTitle();
      // Whoever looks at it gets the size: another viewer may have set its own meanwhile.
      this.#fit();
    };
    addEventListener('focus', onFocus);
    this.#endings.push(() => {
      cancelAnimationFrame(scheduled);
      observer.disconnect();
      removeEventListener('focus', onFocus);
    });
  }

  /** Asks for the size that fills the page; the terminal says when it has it. */
  #fit(): void {
    const size = this.#emulator.fittingSize();
    const { rows, cols } = this.#emulator.terminal;
    if (size === undefined || (size.rows === rows && size.cols === cols)) return;
    this.#client.resize(size);
  }

  #type(bytes: Uint8Array): void {
    this.#typing.type(bytes);
  }

  async #paste(text: string): Promise<void> {
    const { terminal } = this.#emulator;
    const clean = cleanPaste(text).replace(/\r\n?/g, '\n');
    if (clean === '') return;
    if (!terminal.modes.bracketedPasteMode && clean.trimEnd().includes('\n')) {
      const goAhead = await confirmPaste(clean);
      terminal.focus();
      if (!goAhead) return;
    }
    terminal.paste(clean);
  }

  /** Keys that are the page's; all others, Escape and Tab too, are the program's. */
  #handleKey(event: KeyboardEvent): boolean {
    if (event.type !== 'keydown' || !event.ctrlKey || !event.shiftKey) return true;
    const { terminal } = this.#emulator;
    switch (event.code) {
      case 'KeyF':
        this.#search.open();
        break;
      case 'KeyL':
        this.#leave.focus();
        break;
      case 'KeyC':
        if (!terminal.hasSelection()) return true;
        void navigator.clipboard.writeText(terminal.getSelection()).catch(() => {
          this.#status.notice('The browser did not allow copying.');
        });
        break;
      default:
        return true;
    }
    event.preventDefault();
    return false;
  }

  #showState(state: TerminalClientState): void {
    const { terminal, guard } = this.#emulator;
    this.#status.showTerminal(state);
    terminal.options.disableStdin = state.type === 'attached' ? !state.mayType : isFinal(state);
    this.element.dataset['state'] = state.type;
    if (state.type === 'attached') this.#fit();
    if (state.type === 'exited' || state.type === 'failed') {
      const again = (): void => {
        void this.#client.close();
        if (state.type === 'exited') {
          guard.afterWrites(() => {
            terminal.reset();
          });
        }
        this.#attach();
        terminal.focus();
      };
      const { workspace } = this.#connection;
      this.#overlay.replaceChildren(
        state.type === 'exited'
          ? exitCard(workspace, state.exit, again)
          : failureCard(workspace, state.error, again),
      );
      this.#overlay.querySelector<HTMLElement>('button.primary')?.focus();
    }
  }

  #setTitle(title: string): void {
    this.#title = cleanTitle(title);
    this.#showTitle();
  }

  #showTitle(): void {
    const name = this.#title === '' ? shortName(this.#id) : this.#title;
    document.title = `${this.#hasBell ? '● ' : ''}[${this.#connection.workspace}] ${name}`;
    const crumb = this.element.querySelector('[aria-current=page]');
    if (crumb !== null) crumb.textContent = name;
  }

  #bell(): void {
    if (!document.hasFocus()) {
      this.#hasBell = true;
      this.#showTitle();
    }
    // A storm of bells is one flash: a class that is there already does not restart it.
    if (this.#host.classList.contains('bell')) return;
    this.#host.classList.add('bell');
    setTimeout(() => {
      this.#host.classList.remove('bell');
    }, BELL_MS);
  }

  async #copyLink(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.origin + location.pathname);
      this.#status.notice('Link copied. Whoever opens it needs a token of their own.');
    } catch {
      this.#status.notice('The browser did not allow copying; the address bar has the link.');
    }
  }
}

/** Shows terminal `id`, in `root` at once. */
export function terminalView(options: TerminalViewOptions): View {
  return new TerminalView(options);
}

function isFinal({ type }: TerminalClientState): boolean {
  return type === 'exited' || type === 'failed' || type === 'closed';
}

/** A UUID is shown by its first group; a name as it is. */
function shortName(id: string): string {
  return /^[0-9a-f]{8}-/.test(id) ? id.slice(0, 8) : id;
}

function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${String(bytes)} bytes`;
  return bytes < 1_048_576
    ? `${(bytes / 1_024).toFixed(0)} KiB`
    : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
