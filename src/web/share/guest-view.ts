import {
  ERROR_CODES,
  HoldfastError,
  parseTerminalId,
  toErrorRecord,
  type TerminalId,
} from '../../shared/common/index.js';
import type { Shared, TerminalInfo } from '../../shared/common/wire/index.js';
import type { ConnectionState, WorkspaceConnection } from '../connection/index.js';
import { el } from '../dom.js';
import { TerminalPane, type PaneHost } from '../panes/terminal-pane.js';
import { shortcutOf } from '../shortcuts.js';
import { createKeyRow } from '../terminal/key-row.js';
import { connectionBanner } from '../views/connection-banner.js';
import { problem } from '../views/problem.js';
import { header, type View } from '../views/view.js';
import { StatusLine } from '../workbench/status-line.js';

/** What nothing tells of by itself is looked at so often. */
const FIGURES_MS = 500;
/** A link to all terminals looks for new ones so often. */
const LIST_MS = 3_000;
/** Which of several terminals is in view, for a reload. */
const CHOICE = 't';
const FIRST_TERMINAL = 'main';

export interface GuestViewOptions {
  readonly root: HTMLElement;
  readonly connection: WorkspaceConnection;
  /** The one that the link is for. Absent: all of the workspace. */
  readonly terminal: TerminalId | undefined;
}

/**
 * A terminal for somebody who came by a share link: what the link allows and until when, the terminal, and
 * nothing that leads elsewhere. A link to all terminals has a choice among them.
 */
class GuestView implements View {
  readonly element: HTMLElement;
  readonly #options: GuestViewOptions;
  readonly #stage = el('main', { class: 'stage guest-stage' });
  readonly #status = new StatusLine();
  readonly #mode = el('span', { class: 'badge guest-mode', hidden: true });
  readonly #until = el('span', { class: 'muted guest-until' });
  readonly #choice = el('select', { 'aria-label': 'Terminal', hidden: true });
  readonly #keys: ReturnType<typeof createKeyRow>;
  readonly #endings: (() => void)[] = [];
  #pane: TerminalPane | undefined;
  #shared: Shared | undefined;
  #isConnected = false;

  constructor(options: GuestViewOptions) {
    this.#options = options;
    const { root, connection, terminal } = options;
    const banner = connectionBanner(connection);
    this.#keys = createKeyRow({
      type: (data) => {
        this.#pane?.type(data);
      },
      applicationCursor: () => this.#pane?.applicationCursor === true,
    });
    this.#choice.addEventListener('change', () => {
      this.#open(parseTerminalId(this.#choice.value));
    });
    const crumbs = [{ label: connection.workspace }, ...(terminal ? [{ label: terminal }] : [])];
    this.element = el(
      'div',
      { class: 'page workbench guest' },
      header(crumbs, this.#choice, this.#mode, this.#until),
      banner.element,
      this.#stage,
      this.#keys.element,
      this.#status.element,
    );
    // Before the emulator sees it, which says nothing when it takes no input.
    this.element.addEventListener(
      'keydown',
      (event) => {
        if (this.#run(event)) {
          event.preventDefault();
          event.stopPropagation();
        } else this.#explainReadOnly(event);
      },
      { capture: true },
    );
    root.replaceChildren(this.element);
    if (terminal !== undefined) this.#open(terminal);
    else this.#watchList();
    const figures = setInterval(() => {
      this.#show();
    }, FIGURES_MS);
    this.#endings.push(
      () => {
        banner.dispose();
        clearInterval(figures);
      },
      connection.listen((state) => {
        this.#connection(state);
      }),
    );
  }

  dispose(): void {
    for (const end of this.#endings) end();
    this.#pane?.dispose();
    this.#status.dispose();
    document.title = 'Holdfast';
  }

  #connection(state: ConnectionState): void {
    this.#status.showConnection(state);
    this.#isConnected = state.type === 'connected';
    this.element.dataset['connection'] = state.type;
    if (state.type !== 'connected') return;
    this.#shared = state.shared;
    this.#pane?.retryNow();
    const { mode, expiresAt } = state.shared ?? {};
    this.#mode.hidden = mode === undefined;
    this.#mode.textContent = mode === 'type' ? 'You may type' : 'Read only';
    this.#mode.classList.toggle('good', mode === 'type');
    this.#until.textContent =
      expiresAt === undefined ? '' : `until ${new Date(expiresAt).toLocaleString()}`;
  }

  #open(id: TerminalId): void {
    this.#pane?.dispose();
    this.#pane = new TerminalPane(id, this.#paneHost());
    this.#stage.replaceChildren(this.#pane.element);
    this.#pane.setVisible(true);
    this.#pane.focus();
    this.#show();
  }

  #paneHost(): PaneHost {
    const { connection } = this.#options;
    const host = {
      connection,
      isGuest: true,
      focused: () => undefined,
      changed: () => {
        this.#show();
      },
      notice: (text: string) => {
        this.#status.notice(text);
      },
      detach: () => undefined,
      hasOthers: () => false,
      isOwner: () => false,
      mayUpload: () => false,
      upload: () => undefined,
      swiped: () => undefined,
      hover: (link: { readonly url: URL } | undefined) => {
        this.#status.hover(link?.url);
      },
      modify: (data: string) => this.#keys.modify(data),
    };
    return host;
  }

  /** A link to all terminals: those that there are now, the one that was chosen last in view. */
  #watchList(): void {
    const look = async (): Promise<void> => {
      if (!this.#isConnected || document.visibilityState === 'hidden') return;
      try {
        this.#showList(await this.#options.connection.terminals());
      } catch (error) {
        const { code, message } = toErrorRecord(error);
        this.#status.notice(`${message} (${code})`);
      }
    };
    const timer = setInterval(() => void look(), LIST_MS);
    const stop = this.#options.connection.listen(() => {
      // After the state has reached this view.
      queueMicrotask(() => {
        if (this.#pane === undefined) void look();
      });
    });
    this.#endings.push(() => {
      clearInterval(timer);
      stop();
    });
  }

  #showList(terminals: readonly TerminalInfo[]): void {
    const open = this.#pane?.id;
    const ids = new Set(terminals.map(({ id }) => id));
    if (open !== undefined) ids.add(open);
    const wanted = new URLSearchParams(location.search).get(CHOICE) ?? FIRST_TERMINAL;
    const first = ids.has(wanted) ? wanted : [...ids][0];
    const choice = open ?? first ?? (this.#shared?.mode === 'type' ? FIRST_TERMINAL : undefined);
    if (choice === undefined) {
      this.#stage.replaceChildren(nothingRuns());
      return;
    }
    ids.add(choice);
    const listed = [...this.#choice.options].map(({ value }) => value);
    if (listed.join() !== [...ids].join())
      this.#choice.replaceChildren(...[...ids].map((id) => el('option', { value: id }, id)));
    this.#choice.value = choice;
    this.#choice.hidden = false;
    if (open === undefined) this.#open(parseTerminalId(choice));
  }

  #show(): void {
    const pane = this.#pane;
    const { workspace } = this.#options.connection;
    document.title = `[${workspace}] ${pane?.title ?? 'Holdfast'}`;
    if (pane === undefined) return;
    const { state, size, behind } = pane;
    this.#status.showTerminal({ state, size, behind });
    if (this.#options.terminal !== undefined || this.#choice.value !== pane.id) return;
    const query = new URLSearchParams(location.search);
    query.set(CHOICE, pane.id);
    const address = `${location.pathname}?${query.toString()}`;
    if (location.pathname + location.search !== address)
      history.replaceState(history.state, '', address);
  }

  /** Those of the shortcuts that mean something here. */
  #run(event: KeyboardEvent): boolean {
    switch (shortcutOf(event)) {
      case 'find':
        this.#pane?.find();
        return true;
      case 'copy':
        return this.#pane?.copy() === true;
      default:
        return false;
    }
  }

  #explainReadOnly({ key, ctrlKey, metaKey, target }: KeyboardEvent): void {
    const isTyping = /^.$/u.test(key) || key === 'Enter' || key === 'Backspace';
    const isHere = target instanceof Element && target.closest('.terminal-host') !== null;
    if (this.#shared?.mode !== 'view' || !isTyping || !isHere || ctrlKey || metaKey) return;
    const { meaning, hint } = ERROR_CODES.ERR_READ_ONLY;
    this.#status.notice(`${meaning} ${hint} (ERR_READ_ONLY)`);
  }
}

/** Shows what a share link leads to, in `root` at once. */
export function guestView(options: GuestViewOptions): View {
  return new GuestView(options);
}

/** The address of a link without what makes it one. */
export function lostLinkView(): View {
  const error = new HoldfastError('ERR_UNAUTHORIZED', 'the part after the # is missing', {
    hint: 'Open the link once more from where you got it, whole.',
  });
  return {
    element: el(
      'div',
      { class: 'page' },
      header([]),
      el('main', { class: 'narrow' }, problem(error)),
    ),
    dispose: () => undefined,
  };
}

function nothingRuns(): HTMLElement {
  return el(
    'div',
    { class: 'overlay' },
    el(
      'section',
      { class: 'card', role: 'status' },
      el('p', {}, el('strong', {}, 'No terminal is running.')),
      el(
        'p',
        {},
        'This link lets you watch. As soon as somebody starts a terminal it is shown here.',
      ),
    ),
  );
}
