import type { Epoch, TerminalId } from '../../shared/common/index.js';
import type { TerminalClientState } from '../../shared/common/terminal-client/index.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';
import type { WorkspaceConnection } from '../connection/index.js';
import { openOutputLink } from '../dialogs/link-dialog.js';
import { el, icon } from '../dom.js';
import { formatBytes } from '../format.js';
import { flashes, ring } from '../settings/bell.js';
import { settings, watchSettings } from '../settings/store.js';
import { openEmulator, type Emulator, type OutputLink } from '../terminal/emulator.js';
import { createSearchBox } from '../terminal/search-box.js';
import { cleanTitle } from '../terminal/untrusted-text.js';
import { acceptFiles } from '../uploads/drop-target.js';
import type { DroppedFiles } from '../uploads/dropped-files.js';
import { exitCard, failureCard } from './exit-card.js';
import { PaneClipboard } from './pane-clipboard.js';
import { PaneNotes } from './pane-notes.js';
import { PaneSharing } from './pane-sharing.js';
import { PaneSize } from './pane-size.js';
import { TerminalLink } from './terminal-link.js';
import { handleTouch } from './touch.js';

/** The size before the page is laid out. */
const FALLBACK_SIZE: TerminalSize = { rows: 24, cols: 80 };
const BELL_MS = 150;
const GAP_NOTE_MS = 30_000;
/** The end of a command that ran this long is worth a mark, as a bell is. */
const LONG_COMMAND_MS = 10_000;

/** What a pane needs of the view around it. */
export interface PaneHost {
  readonly connection: WorkspaceConnection;
  /** This person came by a share link: there is no list of terminals to go to. */
  readonly isGuest?: boolean;
  /** The pane got the keyboard. */
  focused(pane: TerminalPane): void;
  /** Something that is shown outside of the pane is different now. */
  changed(pane: TerminalPane): void;
  notice(text: string): void;
  /** Leaves the terminal; its program goes on. Absent: it is the only one in view. */
  detach(pane: TerminalPane): void;
  hasOthers(): boolean;
  /** Whether this person owns the workspace. */
  isOwner(): boolean;
  swiped(step: number): void;
  /** The pointer came to a link, or left it. */
  hover(link: OutputLink | undefined): void;
  /** Whether files may be dropped here. */
  mayUpload(): boolean;
  upload(files: DroppedFiles, pane: TerminalPane): void;
  /** Applies held Ctrl and Alt keys to what was typed. */
  modify(data: string): string;
}

/** One terminal in view: emulator, link to the terminal in the workspace, and what surrounds them. */
export class TerminalPane {
  readonly id: TerminalId;
  readonly element: HTMLElement;
  readonly sharing: PaneSharing;
  readonly #host: PaneHost;
  readonly #screen = el('div', { class: 'terminal-host' });
  readonly #overlay = el('div', { class: 'overlay' });
  readonly #notes = new PaneNotes();
  readonly #name = el('span', { class: 'pane-title' });
  readonly #body: HTMLElement;
  readonly #endings: (() => void)[] = [];
  #started: Started | undefined;
  #link: TerminalLink | undefined;
  #state: TerminalClientState = { type: 'connecting' };
  /** As of the last attach. */
  #mayType = true;
  #title = '';
  #hasBell = false;
  #skipped = 0;
  #directory: string | undefined;
  /** Of the log to show first. */
  #epoch: Epoch | undefined;

  /** @param epoch shows this log of a terminal that has ended. Absent: attaches to the terminal of that name. */
  constructor(id: TerminalId, host: PaneHost, epoch?: Epoch) {
    this.id = id;
    this.#epoch = epoch;
    this.#host = host;
    this.sharing = new PaneSharing({
      notes: this.#notes,
      client: () => this.#link?.client,
      isOwner: () => host.isOwner(),
      fittingSize: () => this.#started?.emulator.fittingSize(),
      focus: () => {
        this.focus();
      },
      directory: (path) => {
        this.#directory = path;
      },
      commandEnded: (durationMs) => {
        if (durationMs !== undefined && durationMs >= LONG_COMMAND_MS) this.#mark();
      },
      changed: () => {
        host.changed(this);
      },
    });
    this.#body = el(
      'div',
      { class: 'pane-body' },
      this.#screen,
      this.#overlay,
      this.#notes.element,
    );
    this.element = el(
      'section',
      {
        class: 'pane',
        'data-id': id,
        onfocusin: () => {
          this.#hasBell = false;
          host.focused(this);
        },
      },
      el(
        'header',
        { class: 'pane-bar' },
        this.#name,
        el(
          'button',
          {
            type: 'button',
            class: 'icon-button',
            'aria-label': 'Detach this terminal',
            title: 'Detach: the program goes on (Ctrl Shift D)',
            onclick: () => {
              host.detach(this);
            },
          },
          icon('close'),
        ),
      ),
      this.#body,
    );
    this.#showTitle();
    this.#endings.push(
      acceptFiles(this.#body, {
        isAllowed: () => host.mayUpload(),
        dropped: (files) => {
          host.upload(files, this);
        },
      }),
    );
  }

  /** Title as the program set it, else the name of the terminal. Safe to show. */
  get title(): string {
    return this.#title === '' ? shortName(this.id) : this.#title;
  }

  get state(): TerminalClientState {
    return this.#state;
  }

  /** A bell rang while nobody looked. */
  get hasBell(): boolean {
    return this.#hasBell;
  }

  /** Absent: not in view yet. */
  get size(): TerminalSize | undefined {
    const terminal = this.#started?.emulator.terminal;
    return terminal === undefined ? undefined : { rows: terminal.rows, cols: terminal.cols };
  }

  /** Output that is not on the screen yet, in bytes. */
  get behind(): number {
    // What the agent counts has not been acknowledged, so what is not parsed yet is part of it.
    return Math.max(this.#link?.unparsed ?? 0, this.sharing.behind);
  }

  /** Where the shell is, as far as it said. */
  get directory(): string | undefined {
    return this.#directory;
  }

  get applicationCursor(): boolean {
    return this.#started?.emulator.terminal.modes.applicationCursorKeysMode === true;
  }

  /** What another source knows of the title, until the program says one itself. */
  suggestTitle(title: string): void {
    if (this.#title === '') this.#setTitle(title);
  }

  /** Shows the pane or not. The first time it opens and attaches: a tab that nobody looks at costs nothing. */
  setVisible(visible: boolean): void {
    const wasHidden = this.element.hidden;
    this.element.hidden = !visible;
    if (visible) this.#start();
    this.#started?.emulator.setVisible(visible);
    if (visible && wasHidden) this.#started?.size.schedule({ again: true });
  }

  focus(): void {
    const button = this.#overlay.querySelector<HTMLElement>('button.primary');
    if (button === null) this.#started?.emulator.terminal.focus();
    else button.focus();
  }

  /** Asks for the size that fits, even if it was asked for before: somebody looks at it again. */
  fit(): void {
    this.#started?.size.fit({ again: true });
  }

  type(data: string): void {
    this.#link?.type(new TextEncoder().encode(data));
  }

  find(): void {
    this.#started?.search.open();
  }

  /** False: nothing is selected. */
  copy(): boolean {
    return this.#started?.clipboard.copy() === true;
  }

  paste(): void {
    void this.#started?.clipboard.pasteFromClipboard();
  }

  /** The connection is back: nobody wants to wait for a back-off after it as well. */
  retryNow(): void {
    this.#link?.client.retryNow();
  }

  dispose(): void {
    void this.#link?.client.close();
    for (const end of this.#endings) end();
    this.#notes.dispose();
    this.#started?.emulator.dispose();
    this.element.remove();
  }

  #start(): void {
    if (this.#started !== undefined) return;
    // The emulator measures its cells when it is opened, so the pane has to be in the document by then.
    const emulator = openEmulator(this.#screen, {
      openLink: (link) => {
        void openOutputLink(link);
      },
      hoverLink: (link) => {
        this.#host.hover(link);
      },
    });
    const { terminal, guard } = emulator;
    const search = createSearchBox(emulator.search, () => {
      terminal.focus();
    });
    this.#body.prepend(search.element);
    const clipboard = new PaneClipboard({
      terminal,
      guard,
      host: this.#screen,
      notes: this.#notes,
      notice: (text) => {
        this.#host.notice(text);
      },
    });
    const size = new PaneSize({
      host: this.#screen,
      emulator,
      ask: (wanted) => {
        this.#link?.client.resize(wanted);
      },
      mismatch: (isMismatch) => {
        this.sharing.showOtherSize(isMismatch ? this.size : undefined);
      },
    });
    this.#started = { emulator, search, clipboard, size };
    terminal.onData((data) => {
      if (!guard.isAnswer(data)) this.type(this.#host.modify(data));
    });
    terminal.onBinary((data) => {
      this.#link?.type(Uint8Array.from(data, (character) => character.charCodeAt(0)));
    });
    terminal.onTitleChange((title) => {
      this.#setTitle(title);
    });
    terminal.onBell(() => {
      this.#bell();
    });
    terminal.onResize(() => {
      this.#host.changed(this);
    });
    this.#endings.push(
      handleTouch(this.#screen, {
        terminal,
        swiped: (step) => {
          this.#host.swiped(step);
        },
      }),
      watchSettings(() => {
        // Another font may leave room for more, or for less.
        size.schedule();
      }),
      () => {
        clipboard.dispose();
        size.dispose();
      },
    );
    this.#attach(emulator);
  }

  /** Begins to attach, at first and after the program or the attempt has ended. */
  #attach(emulator: Emulator): void {
    this.#overlay.replaceChildren();
    const size = emulator.fittingSize() ?? FALLBACK_SIZE;
    this.#started?.size.asked(size);
    this.#link = new TerminalLink({
      connection: this.#host.connection,
      id: this.id,
      size,
      epoch: this.#epoch,
      emulator,
      state: (state) => {
        this.#showState(state, emulator);
      },
      notice: (text) => {
        this.#host.notice(text);
      },
      title: (title) => {
        this.#setTitle(title);
      },
      gap: (bytes) => {
        this.#showGap(bytes);
      },
      restarted: () => {
        this.#host.notice('The terminal was started anew.');
      },
      presence: () => {
        this.sharing.showPresence();
      },
      event: (event) => {
        this.sharing.handle(event);
      },
    });
    this.#link.client.start();
  }

  #showState(state: TerminalClientState, emulator: Emulator): void {
    const { terminal, guard } = emulator;
    this.#state = state;
    if (state.type === 'attached') this.#mayType = state.mayType;
    terminal.options.disableStdin = state.type === 'attached' ? !state.mayType : isFinal(state);
    this.element.dataset['state'] = state.type;
    // The pane may have changed while the attach was under way.
    if (state.type === 'attached') this.#started?.size.schedule({ again: true });
    else this.sharing.detached();
    if (state.type === 'exited' || (state.type === 'failed' && !isOfLink(state.error.code))) {
      const again = (): void => {
        void this.#link?.client.close();
        this.#epoch = undefined;
        if (state.type === 'exited') {
          guard.afterWrites(() => {
            terminal.reset();
          });
        }
        this.#attach(emulator);
        terminal.focus();
      };
      const close = this.#host.hasOthers()
        ? (): void => {
            this.#host.detach(this);
          }
        : undefined;
      const { isGuest = false, connection } = this.#host;
      const workspace = isGuest ? undefined : connection.workspace;
      const hadFocus = this.element.contains(document.activeElement);
      this.#overlay.replaceChildren(
        state.type === 'exited'
          ? exitCard({ workspace, again: this.#mayType ? again : undefined, close }, state.exit)
          : failureCard({ workspace, again, close }, state.error),
      );
      if (hadFocus) this.focus();
    }
    this.#host.changed(this);
  }

  #showGap(bytes: number): void {
    this.#skipped += bytes;
    this.#notes.show('gap', {
      look: 'warn',
      forMs: GAP_NOTE_MS,
      body: [
        `${formatBytes(this.#skipped)} skipped: more came than could be kept for this viewer.`,
      ],
    });
    this.#host.notice(`${formatBytes(bytes)} of output were skipped.`);
  }

  #setTitle(title: string): void {
    this.#title = cleanTitle(title);
    this.#showTitle();
    this.#host.changed(this);
  }

  #showTitle(): void {
    this.#name.textContent = this.title;
    this.element.setAttribute(
      'aria-label',
      `Terminal ${this.title} in ${this.#host.connection.workspace}`,
    );
  }

  /** Makes the tab tell that something happened, unless somebody looks at it. */
  #mark(): void {
    if (document.hasFocus() && this.element.contains(document.activeElement)) return;
    this.#hasBell = true;
    this.#host.changed(this);
  }

  #bell(): void {
    const { bell } = settings();
    this.#mark();
    ring(bell);
    // A storm of bells is one flash: a class that is there already does not restart it.
    if (!flashes(bell) || this.#screen.classList.contains('bell')) return;
    this.#screen.classList.add('bell');
    setTimeout(() => {
      this.#screen.classList.remove('bell');
    }, BELL_MS);
  }
}

/** What there is once a pane has been in view. */
interface Started {
  readonly emulator: Emulator;
  readonly search: ReturnType<typeof createSearchBox>;
  readonly clipboard: PaneClipboard;
  readonly size: PaneSize;
}

/** What the whole connection failed with, which is told where that is shown. */
function isOfLink(code: string): boolean {
  return code.startsWith('ERR_SHARE_');
}

function isFinal({ type }: TerminalClientState): boolean {
  return type === 'exited' || type === 'failed' || type === 'closed';
}

/** A UUID is shown by its first group; a name as it is. */
function shortName(id: string): string {
  return /^[0-9a-f]{8}-/.test(id) ? id.slice(0, 8) : id;
}
