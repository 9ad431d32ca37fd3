import { systemClock, type Clock } from '../clock.js';
import { deferred, type Deferred } from '../deferred.js';
import type { TerminalSize } from '../wire/index.js';
import { parseSize, type CastEvent } from './cast-parser.js';
import { keyframeBefore } from './recording-index.js';
import type { OpenRecording } from './source.js';

/** Where a recording is shown. Calls come one at a time; a promise holds the next one up. */
export interface PlayerScreen {
  /** Becomes a fresh emulator of that size. */
  reset(size: TerminalSize): void | Promise<void>;
  write(data: string | Uint8Array): void | Promise<void>;
  resize(size: TerminalSize): void | Promise<void>;
}

export interface PlayerOptions {
  readonly recording: OpenRecording;
  readonly screen: PlayerScreen;
  /** 1 unless given. */
  readonly speed?: number | undefined;
  /** Pauses in the recording are shortened to this, in ms. Absent: none is. */
  readonly idleLimitMs?: number | undefined;
  readonly clock?: Clock | undefined;
  /** It began or stopped to play, reached the end, or was moved. */
  onChange?(): void;
  /** A marker or the exit status went by while playing. */
  onMark?(event: CastEvent): void;
  /** What is to be played cannot be read; it stopped. */
  onError?(error: unknown): void;
}

const FASTEST = 64;
const SLOWEST = 1 / 16;

/**
 * Plays a recording onto a screen: at any speed, from any moment. A seek takes the last keyframe before
 * it and plays from there without waiting, so its cost does not grow with the recording.
 */
export class RecordingPlayer {
  readonly #options: PlayerOptions;
  readonly #clock: Clock;
  #speed: number;
  #playing = false;
  #closed = false;
  /** Where it was at time `#since`; it has moved on since then if it plays. */
  #base = 0;
  #since = 0;
  /** While it waits for the next event: where that is. */
  #until = 0;
  #target: number | undefined;
  #wake: Deferred<undefined> = deferred();
  #stream: AsyncIterator<CastEvent> | undefined;
  #next: Promise<IteratorResult<CastEvent>> | undefined;
  /** Everything up to this time is on the screen. */
  #shown = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#speed = options.speed ?? 1;
  }

  /** In ms from the beginning. */
  get position(): number {
    if (this.#target !== undefined) return this.#target;
    if (!this.#playing) return this.#base;
    const passed = (this.#clock.now() - this.#since) * this.#speed;
    return Math.min(this.#base + passed, Math.max(this.#base, this.#until));
  }

  get durationMs(): number {
    return this.#options.recording.durationMs;
  }

  get playing(): boolean {
    return this.#playing;
  }

  /** At the end, with nothing more to come. */
  get ended(): boolean {
    return !this.#playing && this.#target === undefined && this.#base >= this.durationMs;
  }

  /** On its way to another moment. */
  get seeking(): boolean {
    return this.#target !== undefined;
  }

  get speed(): number {
    return this.#speed;
  }
  set speed(speed: number) {
    this.#rebase();
    this.#speed = Math.min(FASTEST, Math.max(SLOWEST, speed));
    this.#changed();
  }

  /** Plays on; from the beginning if it is at the end. */
  play(): void {
    if (this.#playing || this.#closed) return;
    if (this.ended) this.#target = 0;
    this.#base = this.position;
    this.#since = this.#clock.now();
    this.#playing = true;
    this.#changed();
  }

  pause(): void {
    if (!this.#playing) return;
    this.#rebase();
    this.#playing = false;
    this.#changed();
  }

  /** Goes to `at`, in ms from the beginning, and plays on from there if it was playing. */
  seek(at: number): void {
    this.#target = Math.min(Math.max(0, at), this.durationMs);
    this.#changed();
  }

  /** Draws the screen anew, for whoever wrote over it. */
  redraw(): void {
    this.#shown = Number.NEGATIVE_INFINITY;
    this.seek(this.position);
  }

  /** Stops for good. Resolves when nothing is written to the screen any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#playing = false;
    this.#wake.resolve(undefined);
    await this.#running;
    this.#drop();
  }

  #changed(): void {
    if (this.#closed) return;
    this.#wake.resolve(undefined);
    this.#running ??= this.#run().catch((error: unknown) => {
      this.#running = undefined;
      this.#playing = false;
      this.#target = undefined;
      this.#drop();
      this.#shown = Number.NEGATIVE_INFINITY;
      this.#options.onError?.(error);
      this.#options.onChange?.();
    });
    this.#options.onChange?.();
  }

  #rebase(): void {
    this.#base = this.position;
    this.#since = this.#clock.now();
  }

  async #run(): Promise<void> {
    for (;;) {
      this.#wake = deferred();
      if (this.#isClosed()) return;
      if (this.#target !== undefined) await this.#goTo(this.#target);
      else if (this.#playing) await this.#step();
      else await this.#wake.promise;
    }
  }

  /** Waits for the next event and shows it, or until somebody wants something else. */
  async #step(): Promise<void> {
    if (this.#shown === Number.NEGATIVE_INFINITY) {
      this.#target ??= this.position;
      return;
    }
    const next = await this.#peek();
    if (next === 'woken' || this.#isClosed()) return;
    const { idleLimitMs = Number.POSITIVE_INFINITY } = this.#options;
    const at = next.done === true ? this.durationMs : next.value.at;
    this.#rebase();
    const left = Math.min(at - this.position, idleLimitMs) / this.#speed;
    if (left > 0) {
      this.#until = Math.min(at, this.position + idleLimitMs);
      if ((await this.#sleep(left)) || !this.#mayGoOn()) return;
    }
    this.#base = Math.max(this.#base, at);
    this.#since = this.#clock.now();
    this.#until = this.#base;
    if (next.done === true) {
      this.#playing = false;
      this.#options.onChange?.();
      return;
    }
    this.#next = undefined;
    await this.#show(next.value);
    if (next.value.code === 'm' || next.value.code === 'x') this.#options.onMark?.(next.value);
  }

  async #goTo(target: number): Promise<void> {
    const { recording, screen } = this.#options;
    const keyframe = keyframeBefore(recording.keyframes, target);
    const isAhead = target >= this.#shown && (keyframe?.at ?? 0) <= this.#shown;
    if (!isAhead) {
      this.#drop();
      this.#stream = recording.events(keyframe)[Symbol.asyncIterator]();
      await screen.reset(keyframe ?? recording.header.size);
      if (keyframe !== undefined) await screen.write(keyframe.screen);
      this.#shown = keyframe?.at ?? 0;
    }
    for (;;) {
      const next = await this.#peek();
      // Another target takes over here, and the screen is right for as far as it got.
      if (next === 'woken' && (this.#isClosed() || this.#target !== target)) return;
      if (next === 'woken') {
        this.#wake = deferred();
        continue;
      }
      if (next.done === true || next.value.at > target) break;
      this.#next = undefined;
      await this.#show(next.value);
    }
    this.#shown = target;
    if (this.#target !== target) return;
    this.#target = undefined;
    this.#base = target;
    this.#until = target;
    this.#since = this.#clock.now();
    this.#options.onChange?.();
  }

  async #show(event: CastEvent): Promise<void> {
    const { screen } = this.#options;
    this.#shown = Math.max(this.#shown, event.at);
    if (event.code === 'o') await screen.write(event.raw ?? event.data);
    const size = event.code === 'r' ? parseSize(event.data) : undefined;
    if (size !== undefined) await screen.resize(size);
  }

  /** The next event, which stays the next one until `#next` is cleared. */
  async #peek(): Promise<IteratorResult<CastEvent> | 'woken'> {
    this.#next ??= this.#stream?.next() ?? Promise.resolve({ done: true, value: undefined });
    // Without it a failure that comes after a seek has moved on would be nobody's.
    this.#next.catch(() => undefined);
    return await Promise.race([this.#next, this.#wake.promise.then(() => 'woken' as const)]);
  }

  /** Whether somebody wanted something else before `ms` had passed. */
  async #sleep(ms: number): Promise<boolean> {
    const slept = deferred<boolean>();
    const timer = this.#clock.after(ms, () => {
      slept.resolve(false);
    });
    const woken = await Promise.race([slept.promise, this.#wake.promise.then(() => true)]);
    timer.cancel();
    return woken;
  }

  #drop(): void {
    this.#next = undefined;
    const stream = this.#stream;
    this.#stream = undefined;
    void stream?.return?.().catch(() => undefined);
  }

  /** Nobody has stopped it or sent it elsewhere meanwhile. */
  #mayGoOn(): boolean {
    return this.#playing && this.#target === undefined && !this.#closed;
  }

  /** A call, since a property read twice is taken to be the same across an `await`. */
  #isClosed(): boolean {
    return this.#closed;
  }
}
