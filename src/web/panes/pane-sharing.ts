import type { TerminalClient } from '../../shared/common/terminal-client/index.js';
import type {
  Presence,
  PresenceRow,
  TerminalSize,
  ViewerControl,
  ViewerEventAt,
} from '../../shared/common/wire/index.js';
import { formatSize } from '../format.js';
import { cleanTitle } from '../terminal/untrusted-text.js';
import { noteButton, type PaneNotes } from './pane-notes.js';

/** A question of another viewer that nobody answers goes away. */
const REQUEST_NOTE_MS = 60_000;

export interface PaneSharingOptions {
  readonly notes: PaneNotes;
  /** Absent: not attached yet. */
  readonly client: () => TerminalClient | undefined;
  /** Whether this person owns the workspace. */
  readonly isOwner: () => boolean;
  /** The size that the pane has room for. */
  readonly fittingSize: () => TerminalSize | undefined;
  readonly focus: () => void;
  /** The shell is in another folder. */
  readonly directory: (path: string) => void;
  /** A command has ended; how long it ran, if the shell said. */
  readonly commandEnded: (durationMs: number | undefined) => void;
  readonly changed: () => void;
}

/** What this page and the others who are attached to a terminal have to do with each other. */
export class PaneSharing {
  readonly #options: PaneSharingOptions;
  /** The terminal has another size than fits: this one. */
  #otherSize: TerminalSize | undefined;

  constructor(options: PaneSharingOptions) {
    this.#options = options;
  }

  /** Who is attached. Absent: not told yet, or not attached. */
  get presence(): Presence | undefined {
    return this.#options.client()?.sharing.presence;
  }

  get isOwner(): boolean {
    return this.#options.isOwner();
  }

  /** Bytes that are on their way here, as the agent last said. */
  get behind(): number {
    return this.#me?.behind ?? 0;
  }

  ask(control: ViewerControl): void {
    this.#options.client()?.sharing.control(control);
  }

  /** Makes the terminal as large as the pane; where a resize alone does not do that, by claiming it. */
  takeSize(): void {
    const size = this.#options.fittingSize();
    const client = this.#options.client();
    if (size === undefined || client === undefined) return;
    client.resize(size);
    if (this.presence !== undefined && this.presence.sizePolicy !== 'latest') {
      client.sharing.control({ type: 'claim-size' });
    }
  }

  /** `size`: what the terminal has, where it is not what fits. */
  showOtherSize(size: TerminalSize | undefined): void {
    this.#otherSize = size;
    this.#showSizeNote();
  }

  showPresence(): void {
    this.#showSizeNote();
    this.#showDriverNote();
    this.#options.changed();
  }

  handle(event: ViewerEventAt): void {
    switch (event.type) {
      case 'cwd':
        this.#options.directory(event.path);
        return;
      case 'command-end':
        this.#options.commandEnded(event.durationMs);
        return;
      case 'recording':
        this.#showRecording(event.on);
        return;
      case 'control-requested':
        this.#showRequest(event);
        return;
      case 'control-granted':
        if (event.viewer === this.presence?.you && event.by !== undefined) {
          this.#tell(`${cleanTitle(event.by)} handed you the control: only you type now.`);
        }
        return;
      case 'control-released':
        this.#tell('Everybody who may type does again.');
        return;
      case 'viewer-dropped':
        this.#tell(
          `${cleanTitle(event.subject)} was removed by ${cleanTitle(event.by ?? 'an owner')}.`,
        );
        return;
      case 'command-start':
      case 'refused':
      case 'probe':
        return;
    }
  }

  /** Nothing that was told holds any more. */
  detached(): void {
    for (const key of ['size', 'driver', 'request', 'sharing', 'recording'])
      this.#options.notes.hide(key);
    this.#options.changed();
  }

  get #me(): PresenceRow | undefined {
    const { presence } = this;
    return presence?.names.find(({ id }) => id === presence.you);
  }

  /** Whether this page was let in to type. */
  get mayType(): boolean {
    const state = this.#options.client()?.state;
    return state?.type === 'attached' && state.mayType;
  }

  #tell(text: string): void {
    this.#options.notes.show('sharing', { body: [text], forMs: 10_000 });
  }

  #showSizeNote(): void {
    const { notes, client } = this.#options;
    const size = this.#otherSize;
    if (size === undefined || client()?.state.type !== 'attached') {
      notes.hide('size');
      return;
    }
    const take = noteButton('Fit to my window', () => {
      this.takeSize();
      this.#options.focus();
    });
    notes.show('size', {
      body: [`${formatSize(size)}: ${whoseSize(this.presence)}`],
      actions: this.mayType && this.#mayTakeSize() ? [take] : [],
    });
  }

  #mayTakeSize(): boolean {
    const { presence } = this;
    return presence?.sizePolicy !== 'mine' || presence.sizeOwner === presence.you || this.isOwner;
  }

  #showDriverNote(): void {
    const { notes } = this.#options;
    const { presence } = this;
    const { driver, you } = presence ?? {};
    if (presence === undefined || driver === undefined) {
      notes.hide('driver');
      return;
    }
    if (driver === you) {
      notes.show('driver', {
        body: ['Only you type here.'],
        canClose: false,
        actions: [
          noteButton('Let all type', () => {
            this.ask({ type: 'release-control' });
            this.#options.focus();
          }),
        ],
      });
      return;
    }
    const action = this.isOwner && you !== undefined ? 'Take it' : 'Ask for it';
    notes.show('driver', {
      body: [`${nameOf(presence, driver)} has the control: what you type is not taken.`],
      canClose: false,
      actions: [
        noteButton(action, () => {
          if (this.isOwner && you !== undefined) this.ask({ type: 'hand-over', viewer: you });
          else this.ask({ type: 'request-control' });
          this.#options.focus();
        }),
      ],
    });
  }

  #showRecording(on: boolean): void {
    const { notes } = this.#options;
    if (on) notes.show('recording', { body: ['This terminal is being recorded.'], look: 'warn' });
    else notes.hide('recording');
  }

  #showRequest(event: Extract<ViewerEventAt, { type: 'control-requested' }>): void {
    const { presence } = this;
    const { notes } = this.#options;
    if (event.viewer === presence?.you) return;
    const asks = presence?.names.find(({ id }) => id === event.viewer);
    const name = cleanTitle(event.subject);
    const mayGive =
      presence?.driver === undefined || presence.driver === presence.you || this.isOwner;
    const close = (): void => {
      notes.hide('request');
      this.#options.focus();
    };
    if (asks?.mode !== 'type') {
      notes.show('request', {
        body: [`${name} would like to type, but was only let in to watch.`],
        forMs: REQUEST_NOTE_MS,
      });
      return;
    }
    notes.show('request', {
      look: 'warn',
      forMs: REQUEST_NOTE_MS,
      body: [`${name} asks for the control.`],
      actions: mayGive
        ? [
            noteButton('Hand over', () => {
              this.ask({ type: 'hand-over', viewer: event.viewer });
              close();
            }),
          ]
        : [],
    });
  }
}

/** Who decides the size, in words. */
function whoseSize(presence: Presence | undefined): string {
  const { sizePolicy, sizeOwner, you } = presence ?? {};
  if (sizePolicy === 'fixed') return 'a fixed size';
  if (sizePolicy === 'smallest') return 'the smallest window of all';
  if (presence === undefined || sizeOwner === undefined) return 'the size of another viewer';
  if (sizeOwner === you) return 'your size is on its way';
  return `the size of ${nameOf(presence, sizeOwner)}`;
}

/** Name of a viewer, safe to show. */
export function nameOf({ names, you }: Presence, id: number): string {
  if (id === you) return 'you';
  const row = names.find((each) => each.id === id);
  return row === undefined ? `viewer ${String(id)}` : cleanTitle(row.subject);
}
