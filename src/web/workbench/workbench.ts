import {
  parseEpoch,
  parseTerminalId,
  type Epoch,
  type TerminalId,
} from '../../shared/common/index.js';
import {
  arrangementAddress,
  hasRoom,
  LOG_PARAMETER,
  parseTabs,
  TABS_PARAMETER,
} from '../arrangement/address.js';
import {
  activeTab,
  allIds,
  close,
  focus,
  focusedId,
  moveTab,
  open,
  resize,
  single,
  split,
  stepAny,
  stepPane,
  stepTab,
  type Arrangement,
} from '../arrangement/arrangement.js';
import { paneIds, type SplitDirection, type SplitNode } from '../arrangement/split-tree.js';
import type { WorkspaceConnection } from '../connection/index.js';
import { el } from '../dom.js';
import { TerminalPane, type PaneHost } from '../panes/terminal-pane.js';
import { navigate, workspacePath } from '../routes.js';
import { shortcutOf, type ShortcutAction } from '../shortcuts.js';
import { createKeyRow } from '../terminal/key-row.js';
import { chooseFiles } from '../uploads/dropped-files.js';
import { Uploads } from '../uploads/uploads.js';
import { connectionBanner } from '../views/connection-banner.js';
import type { View } from '../views/view.js';
import { FrontActions } from './front-actions.js';
import { SplitStage } from './split-stage.js';
import { StatusLine } from './status-line.js';
import { TabStrip, type TabLook } from './tab-strip.js';
import { Toolbar } from './toolbar.js';

/** What nothing tells of by itself is looked at so often. */
const FIGURES_MS = 500;

export interface WorkbenchOptions {
  readonly root: HTMLElement;
  readonly connection: WorkspaceConnection;
  /** The terminal that the path of the address names. */
  readonly id: TerminalId;
  readonly signIn: () => void;
  /** The person's own token, with which links are made. Absent: came by a link. */
  readonly token: string | undefined;
}

/** The terminals of a workspace that are in view: tabs, each divided among some of them. */
class Workbench implements View {
  readonly element: HTMLElement;
  readonly #connection: WorkspaceConnection;
  readonly #actions: FrontActions;
  readonly #panes = new Map<TerminalId, TerminalPane>();
  readonly #strip: TabStrip;
  readonly #stage: SplitStage;
  readonly #status = new StatusLine();
  readonly #keys: ReturnType<typeof createKeyRow>;
  readonly #toolbar: Toolbar;
  readonly #uploads: Uploads;
  readonly #endings: (() => void)[] = [];
  /** What the address asked to see the end of. */
  readonly #ended: { readonly id: TerminalId; readonly epoch: Epoch | undefined };
  #arrangement: Arrangement;
  #scheduled = 0;

  constructor({ root, connection, id, signIn, token }: WorkbenchOptions) {
    this.#connection = connection;
    const query = new URLSearchParams(location.search);
    const tabs = query.get(TABS_PARAMETER);
    this.#ended = { id, epoch: readEpoch(query.get(LOG_PARAMETER)) };
    this.#arrangement = tabs === null ? single(id) : parseTabs(tabs, id);
    this.#uploads = new Uploads(connection, (text) => {
      this.#status.notice(text);
    });
    const banner = connectionBanner(connection, signIn);
    this.#keys = createKeyRow({
      type: (data) => {
        this.#front().type(data);
      },
      applicationCursor: () => this.#front().applicationCursor,
    });
    this.#strip = new TabStrip({
      choose: (index) => {
        this.#arrange(stepTab(this.#arrangement, index - this.#arrangement.active));
      },
      close: (index) => {
        const tab = this.#arrangement.tabs[index];
        if (tab !== undefined) this.#detach(paneIds(tab.root));
      },
      move: (from, to) => {
        this.#arrange(moveTab(this.#arrangement, from, to));
      },
      create: () => {
        this.#create();
      },
    });
    this.#stage = new SplitStage({
      resize: (path, share) => {
        this.#arrange(resize(this.#arrangement, path, share), { focus: false });
      },
    });
    this.#actions = new FrontActions({
      connection,
      token,
      front: () => this.#front(),
      notice: (text) => {
        this.#status.notice(text);
      },
    });
    this.#toolbar = new Toolbar({
      workspace: connection.workspace,
      tabs: this.#strip.element,
      actions: this.#actions,
      run: (action) => {
        this.#run(action);
      },
      paste: () => {
        this.#front().paste();
      },
      mayUpload: () => this.#uploads.isAllowed,
      upload: () => {
        chooseFiles((files) => void this.#uploads.upload(files, this.#front().directory));
      },
    });
    this.element = el(
      'div',
      { class: 'page workbench' },
      this.#toolbar.element,
      banner.element,
      this.#stage.element,
      this.#keys.element,
      this.#status.element,
      this.#uploads.element,
    );
    // Before the emulator sees it, which takes every key.
    const onKey = (event: KeyboardEvent): void => {
      this.#onKey(event);
    };
    this.element.addEventListener('keydown', onKey, { capture: true });
    root.replaceChildren(this.element);
    this.#arrange(this.#arrangement);
    const onFocus = (): void => {
      // Whoever looks at it gets the size: another viewer may have set its own meanwhile.
      for (const paneId of paneIds(activeTab(this.#arrangement).root))
        this.#panes.get(paneId)?.fit();
      this.#schedule();
    };
    addEventListener('focus', onFocus);
    const figures = setInterval(() => {
      this.#showStatus();
    }, FIGURES_MS);
    this.#endings.push(
      () => {
        banner.dispose();
        clearInterval(figures);
        cancelAnimationFrame(this.#scheduled);
        removeEventListener('focus', onFocus);
      },
      connection.listen((state) => {
        this.#status.showConnection(state);
        if (state.type !== 'connected') return;
        for (const pane of this.#panes.values()) pane.retryNow();
      }),
    );
    void this.#learnTitles();
  }

  dispose(): void {
    for (const pane of this.#panes.values()) pane.dispose();
    for (const end of this.#endings) end();
    this.#status.dispose();
    this.#uploads.dispose();
    document.title = 'Holdfast';
  }

  /** The terminal that has the keyboard. */
  #front(): TerminalPane {
    return this.#pane(focusedId(this.#arrangement));
  }

  #pane(id: TerminalId): TerminalPane {
    const old = this.#panes.get(id);
    if (old !== undefined) return old;
    const epoch = id === this.#ended.id ? this.#ended.epoch : undefined;
    const pane = new TerminalPane(id, this.#paneHost(), epoch);
    this.#panes.set(id, pane);
    return pane;
  }

  #paneHost(): PaneHost {
    return {
      connection: this.#connection,
      focused: (pane) => {
        this.#arrange(focus(this.#arrangement, pane.id), { focus: false });
      },
      changed: () => {
        this.#schedule();
        this.#actions.updatePeople();
      },
      notice: (text) => {
        this.#status.notice(text);
      },
      detach: (pane) => {
        this.#detach([pane.id]);
      },
      hasOthers: () => this.#panes.size > 1,
      isOwner: () => this.#actions.permissions?.isOwner() === true,
      swiped: (step) => {
        this.#arrange(stepAny(this.#arrangement, step));
      },
      hover: (link) => {
        this.#status.hover(link?.url);
      },
      mayUpload: () => this.#uploads.isAllowed,
      upload: (files, pane) => {
        void this.#uploads.upload(files, pane.directory);
      },
      modify: (data) => this.#keys.modify(data),
    };
  }

  /** Shows `next` and puts it into the address, so that a reload or a copied link brings it back. */
  #arrange(next: Arrangement, { focus: takesFocus = true } = {}): void {
    this.#arrangement = next;
    const ids = new Set(allIds(next));
    for (const id of ids) this.#pane(id);
    for (const [id, pane] of this.#panes) {
      if (ids.has(id)) continue;
      pane.dispose();
      this.#panes.delete(id);
    }
    const { root, focused } = activeTab(next);
    this.#stage.show(root, focused, this.#panes);
    const address = arrangementAddress(this.#connection.workspace, next, location.search);
    if (address !== location.pathname + location.search) {
      history.replaceState(history.state, '', address);
    }
    this.#show();
    if (takesFocus) this.#front().focus();
  }

  #create(direction?: SplitDirection): void {
    if (!hasRoom(this.#arrangement)) {
      this.#status.notice('No more terminals fit into one view; detach one first.');
      return;
    }
    const id = parseTerminalId(crypto.randomUUID());
    this.#arrange(
      direction === undefined
        ? open(this.#arrangement, id)
        : split(this.#arrangement, direction, id),
    );
  }

  /** Takes terminals out of view; what runs in them goes on. */
  #detach(ids: readonly TerminalId[]): void {
    let next: Arrangement | undefined = this.#arrangement;
    const running = ids.filter((id) => this.#panes.get(id)?.state.type !== 'exited');
    const [first] = running;
    if (first !== undefined) {
      const name = running.length === 1 ? `“${this.#pane(first).title}” goes` : 'They go';
      this.#status.notice(`${name} on without you; the list of terminals has it all.`);
    }
    for (const id of ids) next &&= close(next, id);
    if (next === undefined) navigate(workspacePath(this.#connection.workspace));
    else this.#arrange(next);
  }

  /** Tabs that were not looked at yet have no title of their own. */
  async #learnTitles(): Promise<void> {
    try {
      for (const { id, title } of await this.#connection.terminals()) {
        this.#panes.get(id as TerminalId)?.suggestTitle(title);
      }
    } catch {
      // A lost connection is the banner's to tell.
    }
  }

  #onKey(event: KeyboardEvent): void {
    const action = shortcutOf(event);
    if (action === undefined || event.defaultPrevented || !this.#run(action)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** False: it means nothing now, so the key is the program's. */
  #run(action: ShortcutAction): boolean {
    const { active } = this.#arrangement;
    switch (action) {
      case 'find':
        this.#front().find();
        return true;
      case 'copy':
        return this.#front().copy();
      case 'new-tab':
        this.#create();
        return true;
      case 'split-right':
        this.#create('row');
        return true;
      case 'split-down':
        this.#create('column');
        return true;
      case 'next-tab':
        this.#arrange(stepTab(this.#arrangement, 1));
        return true;
      case 'previous-tab':
        this.#arrange(stepTab(this.#arrangement, -1));
        return true;
      case 'move-tab-right':
        this.#arrange(moveTab(this.#arrangement, active, active + 1));
        return true;
      case 'move-tab-left':
        this.#arrange(moveTab(this.#arrangement, active, active - 1));
        return true;
      case 'next-pane':
        this.#arrange(stepPane(this.#arrangement, 1));
        return true;
      case 'detach':
        this.#detach([focusedId(this.#arrangement)]);
        return true;
      case 'leave':
        this.#toolbar.focus();
        return true;
      case 'help':
        this.#actions.showHelp();
        return true;
    }
  }

  #schedule(): void {
    cancelAnimationFrame(this.#scheduled);
    this.#scheduled = requestAnimationFrame(() => {
      this.#show();
    });
  }

  #show(): void {
    const { tabs, active } = this.#arrangement;
    this.#strip.show(
      tabs.map(({ root, focused }): TabLook => {
        const panes = paneIds(root).map((id) => this.#pane(id));
        return {
          key: keyOf(root),
          title: this.#pane(focused).title,
          others: panes.length - 1,
          hasBell: panes.some(({ hasBell }) => hasBell),
          hasEnded: panes.every(({ state }) => state.type === 'exited'),
        };
      }),
      active,
    );
    const hasBell = [...this.#panes.values()].some((pane) => pane.hasBell);
    document.title = `${hasBell ? '● ' : ''}[${this.#connection.workspace}] ${this.#front().title}`;
    this.#showStatus();
  }

  #showStatus(): void {
    const { state, size, behind, sharing } = this.#front();
    this.#status.showTerminal({ state, size, behind });
    this.#toolbar.showPeople(sharing.presence?.viewers ?? 0);
  }
}

/** The first terminal of a tab stands for it. */
function keyOf(root: SplitNode): string {
  return paneIds(root)[0] ?? '';
}

/** Shows the terminals that the address names, in `root` at once. */
export function workbenchView(options: WorkbenchOptions): View {
  return new Workbench(options);
}

/** Addresses come from anywhere: what is no epoch counts as none. */
function readEpoch(text: string | null): Epoch | undefined {
  try {
    return text === null ? undefined : parseEpoch(text);
  } catch {
    return undefined;
  }
}
