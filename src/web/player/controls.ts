import { formatTime, type RecordingPlayer } from '../../shared/common/recording/index.js';
import { el, icon } from '../dom.js';

const SPEEDS = [0.5, 1, 1.5, 2, 4, 8, 16] as const;
const STEP_MS = 5_000;
const SHOW_MS = 100;

/** The bar under a recording: play, position, time, speed; and the keys that do the same. */
export class PlayerControls {
  readonly element: HTMLElement;
  readonly #player: RecordingPlayer;
  readonly #toggle = el('button', { type: 'button', class: 'icon-button' });
  readonly #seek: HTMLInputElement;
  readonly #time = el('span', { class: 'player-time muted' });
  readonly #speed: HTMLSelectElement;
  readonly #timer: number;

  constructor(player: RecordingPlayer) {
    this.#player = player;
    this.#toggle.addEventListener('click', () => {
      this.#playOrPause();
    });
    this.#seek = el('input', {
      type: 'range',
      class: 'player-seek',
      min: '0',
      max: String(Math.max(1, player.durationMs)),
      step: '10',
      value: '0',
      'aria-label': 'Position',
      oninput: () => {
        player.seek(Number(this.#seek.value));
      },
    });
    this.#speed = el(
      'select',
      {
        class: 'player-speed',
        'aria-label': 'Speed',
        onchange: () => {
          player.speed = Number(this.#speed.value);
        },
      },
      ...SPEEDS.map((speed) => el('option', { value: String(speed) }, `${String(speed)}×`)),
    );
    this.element = el(
      'div',
      { class: 'player-bar', role: 'group', 'aria-label': 'Player' },
      this.#toggle,
      this.#seek,
      this.#time,
      this.#speed,
    );
    this.#timer = window.setInterval(() => {
      if (player.playing) this.#showPosition();
    }, SHOW_MS);
    this.update();
  }

  /** Shows how the player stands. */
  update(): void {
    const label = this.#player.playing ? 'Pause' : 'Play';
    if (this.#toggle.getAttribute('aria-label') !== label) {
      this.#toggle.setAttribute('aria-label', label);
      this.#toggle.title = `${label} (space)`;
      this.#toggle.replaceChildren(icon(this.#player.playing ? 'pause' : 'play'));
    }
    this.#speed.value = String(this.#player.speed);
    this.#showPosition();
  }

  /** Whether the key was one of the player's. */
  handleKey(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const player = this.#player;
    switch (event.key) {
      case ' ':
      case 'k':
        this.#playOrPause();
        return true;
      case 'ArrowLeft':
        player.seek(player.position - STEP_MS);
        return true;
      case 'ArrowRight':
        player.seek(player.position + STEP_MS);
        return true;
      case 'Home':
        player.seek(0);
        return true;
      case 'End':
        player.seek(player.durationMs);
        return true;
      case '+':
      case '=':
        this.#changeSpeed(1);
        return true;
      case '-':
        this.#changeSpeed(-1);
        return true;
      default:
        if (!/^[0-9]$/.test(event.key)) return false;
        player.seek((player.durationMs * Number(event.key)) / 10);
        return true;
    }
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  #playOrPause(): void {
    if (this.#player.playing) this.#player.pause();
    else this.#player.play();
  }

  #changeSpeed(step: number): void {
    const at = SPEEDS.findIndex((speed) => speed >= this.#player.speed);
    this.#player.speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + step))] ?? 1;
  }

  #showPosition(): void {
    const { position, durationMs } = this.#player;
    const text = `${formatTime(position)} / ${formatTime(durationMs)}`;
    // Moving it under a finger that holds it would fight the finger.
    if (!this.#seek.matches(':active')) this.#seek.value = String(position);
    this.#seek.setAttribute('aria-valuetext', text);
    if (this.#time.textContent !== text) this.#time.textContent = text;
  }
}
