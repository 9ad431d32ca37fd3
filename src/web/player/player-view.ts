import {
  openRemoteRecording,
  RecordingPlayer,
  type OpenRecording,
} from '../../shared/common/recording/index.js';
import type { WorkspaceConnection } from '../connection/index.js';
import { el } from '../dom.js';
import { recordingsPath, workspacePath } from '../routes.js';
import { connectionBanner } from '../views/connection-banner.js';
import { problem } from '../views/problem.js';
import { header, type View } from '../views/view.js';
import { PlayerControls } from './controls.js';
import { TerminalScreen } from './player-screen.js';

export interface PlayerViewOptions {
  readonly root: HTMLElement;
  readonly connection: WorkspaceConnection;
  /** Name of the recording. */
  readonly name: string;
  readonly signIn: () => void;
}

/** One recording, played from the workspace that has it: only what is looked at is fetched. */
class PlayerView implements View {
  readonly element: HTMLElement;
  readonly #connection: WorkspaceConnection;
  readonly #name: string;
  readonly #host = el('div', { class: 'player-screen' });
  readonly #status = el('div', { class: 'player-status' });
  readonly #bar = el('div', {});
  readonly #banner: ReturnType<typeof connectionBanner>;
  #screen: TerminalScreen | undefined;
  #player: RecordingPlayer | undefined;
  #controls: PlayerControls | undefined;
  #isGone = false;

  constructor({ root, connection, name, signIn }: PlayerViewOptions) {
    this.#connection = connection;
    this.#name = name;
    const { workspace } = connection;
    this.#banner = connectionBanner(connection, signIn);
    this.element = el(
      'div',
      { class: 'page player-page', 'data-player': 'loading' },
      header([
        { label: workspace, path: workspacePath(workspace) },
        { label: 'Recordings', path: recordingsPath(workspace) },
        { label: name },
      ]),
      this.#banner.element,
      el('main', { class: 'player', 'aria-label': `Recording ${name}` }, this.#host, this.#status),
      this.#bar,
    );
    // Letters are measured in the document.
    root.replaceChildren(this.element);
    addEventListener('keydown', this.#onKey);
    void this.#load(0);
  }

  dispose(): void {
    this.#isGone = true;
    removeEventListener('keydown', this.#onKey);
    this.#banner.dispose();
    this.#clear();
  }

  /** Fetches what is needed and plays from `at`. */
  async #load(at: number): Promise<void> {
    this.#clear();
    try {
      const recording = await openRemoteRecording(
        (label) => this.#connection.openChannel('recording', label),
        this.#name,
      );
      if (!this.#isGone) this.#play(recording, at);
    } catch (error) {
      if (!this.#isGone) this.#fail(error, at);
    }
  }

  #play(recording: OpenRecording, at: number): void {
    const screen = new TerminalScreen(this.#host, recording.header.size);
    const player = new RecordingPlayer({
      recording,
      screen,
      idleLimitMs: recording.header.idleLimitMs,
      onChange: () => {
        this.#controls?.update();
        this.#show(player);
      },
      onMark: ({ code, data }) => {
        if (code === 'm' && data !== '') this.#status.textContent = data;
      },
      onError: (error) => {
        this.#fail(error, player.position);
      },
    });
    this.#screen = screen;
    this.#player = player;
    this.#controls = new PlayerControls(player);
    this.#bar.replaceChildren(this.#controls.element);
    if (at > 0) player.seek(at);
    player.play();
  }

  #show(player: RecordingPlayer): void {
    this.element.dataset['player'] = player.ended ? 'ended' : player.playing ? 'playing' : 'paused';
  }

  #fail(error: unknown, at: number): void {
    this.element.dataset['player'] = 'failed';
    this.#status.replaceChildren(
      problem(error),
      el(
        'button',
        {
          type: 'button',
          class: 'button small',
          onclick: () => {
            void this.#load(at);
          },
        },
        'Try again',
      ),
    );
  }

  #clear(): void {
    void this.#player?.close();
    this.#player = undefined;
    this.#controls?.dispose();
    this.#controls = undefined;
    this.#screen?.dispose();
    this.#screen = undefined;
    this.#status.replaceChildren();
    this.#bar.replaceChildren();
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const { target } = event;
    // Controls have keys of their own, which mean nearly the same.
    if (target instanceof HTMLSelectElement || target instanceof HTMLButtonElement) return;
    if (this.#controls?.handleKey(event) === true) event.preventDefault();
  };
}

/** Plays recording `name`, in `root` at once. */
export function playerView(options: PlayerViewOptions): View {
  return new PlayerView(options);
}
