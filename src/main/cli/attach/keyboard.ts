import type { ReadStream } from 'node:tty';
import { enterRawMode } from '../raw-terminal.js';
import { DetachKeys } from './detach-keys.js';
import type { Escape } from './escapes.js';

/** How long a single `Ctrl-\` waits for a second one before it is sent on. */
const SECOND_KEY_MS = 500;

export interface KeyboardOptions {
  readonly stdin: ReadStream;
  /** Bytes that `send` would take now. */
  readonly room: () => number;
  readonly send: (bytes: Uint8Array) => void;
  /** What is typed goes nowhere, but for the escapes. */
  readonly readOnly: boolean;
  readonly onDetach: () => void;
  readonly onEscape: (escape: Escape) => void;
}

/**
 * Standard input as keys: raw mode, the ways to leave, and no more read than the terminal takes. After
 * {@link stop} the terminal is as it was before.
 */
export class Keyboard {
  readonly #options: KeyboardOptions;
  readonly #keys = new DetachKeys({ quitTwice: true, escapes: true });
  #mode: { restore(): void } | undefined;
  #pending: Uint8Array = new Uint8Array();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KeyboardOptions) {
    this.#options = options;
  }

  start(): void {
    const { stdin } = this.#options;
    if (stdin.isTTY) this.#mode = enterRawMode(stdin);
    stdin.on('data', this.#onData);
    stdin.resume();
  }

  /** There is room again. */
  resume(): void {
    if (this.#pending.length === 0) return;
    this.#flush();
    if (this.#pending.length === 0) this.#options.stdin.resume();
  }

  stop(): void {
    const { stdin } = this.#options;
    clearTimeout(this.#timer);
    stdin.off('data', this.#onData);
    stdin.pause();
    this.#mode?.restore();
    this.#mode = undefined;
  }

  readonly #onData = (chunk: Buffer): void => {
    clearTimeout(this.#timer);
    const { bytes, detach, escapes } = this.#keys.push(chunk);
    this.#type(bytes);
    for (const escape of escapes) this.#options.onEscape(escape);
    if (detach) {
      this.#options.onDetach();
      return;
    }
    if (this.#keys.holding) {
      this.#timer = setTimeout(() => {
        this.#type(this.#keys.flush());
      }, SECOND_KEY_MS);
    }
  };

  #type(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#options.readOnly) return;
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    this.#flush();
    // Nothing more is read than what waits here: one chunk of standard input.
    if (this.#pending.length > 0) this.#options.stdin.pause();
  }

  #flush(): void {
    const take = Math.min(this.#pending.length, this.#options.room());
    if (take === 0) return;
    const bytes = this.#pending.subarray(0, take);
    this.#pending = this.#pending.subarray(take);
    this.#options.send(bytes);
  }
}
