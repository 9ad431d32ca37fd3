import { toErrorRecord } from '../../shared/common/index.js';
import type { Permissions } from '../../shared/common/wire/index.js';
import type { WorkspaceConnection } from '../connection/index.js';
import { ask } from '../dialogs/dialog.js';
import { showHelp } from '../dialogs/help-dialog.js';
import { PeopleDialog } from '../dialogs/people-dialog.js';
import { showSettings } from '../dialogs/settings-dialog.js';
import { showShareDialog } from '../dialogs/share-dialog.js';
import { el } from '../dom.js';
import type { TerminalPane } from '../panes/terminal-pane.js';

export interface FrontActionsOptions {
  readonly connection: WorkspaceConnection;
  /** The person's own token, with which links are made. Absent: came by a link. */
  readonly token: string | undefined;
  /** The terminal that has the keyboard. */
  readonly front: () => TerminalPane;
  readonly notice: (text: string) => void;
}

/** What can be done, by a dialog, with the terminal that has the keyboard; which gets it back after. */
export class FrontActions {
  readonly #options: FrontActionsOptions;
  #people: PeopleDialog | undefined;

  constructor(options: FrontActionsOptions) {
    this.#options = options;
  }

  /** What this person may do. Absent: not known, while there is no connection. */
  get permissions(): Permissions | undefined {
    const { state } = this.#options.connection;
    return state.type === 'connected' ? state.permissions : undefined;
  }

  get mayShare(): boolean {
    return this.#options.token !== undefined && this.permissions?.isOwner() === true;
  }

  get mayEnd(): boolean {
    const { state } = this.#options.front();
    return state.type === 'attached' && state.mayType;
  }

  showPeople(): void {
    const front = this.#options.front();
    this.#people = new PeopleDialog(front.sharing, front.title, () => {
      this.#people = undefined;
      front.focus();
    });
  }

  /** Who is attached may have changed. */
  updatePeople(): void {
    this.#people?.update();
  }

  share(): void {
    const { token, connection, front } = this.#options;
    if (token === undefined) return;
    const { id, title } = front();
    const { workspace } = connection;
    showShareDialog({ token, workspace, terminal: id, title, closed: this.#back() });
  }

  showSettings(): void {
    showSettings(this.#back());
  }

  showHelp(): void {
    showHelp(this.#back());
  }

  async endProgram(): Promise<void> {
    const { connection, notice } = this.#options;
    const pane = this.#options.front();
    const goAhead = await ask({
      title: `End “${pane.title}”?`,
      body: [
        el(
          'p',
          {},
          'Everything that runs in this terminal is ended, for all who are attached to it.',
        ),
      ],
      yes: 'End it',
      isDanger: true,
    });
    pane.focus();
    if (!goAhead) return;
    try {
      await connection.kill(pane.id);
    } catch (error) {
      const { message, code } = toErrorRecord(error);
      notice(`${message} (${code})`);
    }
  }

  async copyLink(): Promise<void> {
    const { notice } = this.#options;
    try {
      await navigator.clipboard.writeText(location.href);
      notice('Link copied. Whoever opens it needs a token of their own.');
    } catch {
      notice('The browser did not allow copying; the address bar has the link.');
    }
  }

  #back(): () => void {
    const front = this.#options.front();
    return () => {
      front.focus();
    };
  }
}
